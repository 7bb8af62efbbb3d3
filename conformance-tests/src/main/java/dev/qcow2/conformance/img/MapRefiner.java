package dev.qcow2.conformance.img;

import dev.qcow2.conformance.img.MapCommand.MapEntry;
import dev.qcow2.conformance.img.MapCommand.MapPrinter;
import dev.qcow2.conformance.tool.ChainFiles;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.host.HostExtent;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Joins the entries of a map, and tells data from holes in images whose tables were made in advance. */
final class MapRefiner {

    private final MapPrinter printer;
    private final List<HostFile> files = new ArrayList<>();
    private final List<Boolean> preallocated = new ArrayList<>();
    private @Nullable MapEntry open;

    MapRefiner(List<ChainFiles.Link> chain, MapPrinter printer) throws DiskException {
        this.printer = printer;
        for (ChainFiles.Link link : chain) {
            files.add(link.data());
            preallocated.add(link.facts().isPresent()
                    && SpacePreallocation.found(link.file(), link.facts().get()));
        }
    }

    /** Adds a part of an extent. */
    void add(MappedExtent extent, long from, long to) throws ToolException, DiskException {
        boolean asksHost = extent.content() == Content.DATA
                && extent.hostOffset().isPresent()
                && extent.depth() < files.size()
                && preallocated.get(extent.depth());
        if (!asksHost) {
            put(new MapEntry(part(extent, from, to), extent.content() == Content.ZERO));
            return;
        }
        HostFile file = files.get(extent.depth());
        long shift = extent.hostOffset().getAsLong() - extent.guestOffset();
        for (long at = from; at < to; ) {
            // Behind the file's end the host stores nothing.
            HostExtent run = at + shift < file.size() ? file.extent(at + shift) : new HostExtent(true, to + shift);
            long stop = Math.min(run.end() - shift, to);
            put(new MapEntry(part(extent, at, stop), run.hole()));
            at = stop;
        }
    }

    private static MappedExtent part(MappedExtent extent, long from, long to) {
        OptionalLong place = extent.hostOffset().isPresent()
                ? OptionalLong.of(extent.hostOffset().getAsLong() + from - extent.guestOffset())
                : OptionalLong.empty();
        return new MappedExtent(
                from, to - from, extent.content(), extent.allocated(), extent.depth(), place, extent.compressed());
    }

    private void put(MapEntry next) throws ToolException {
        MapEntry before = open;
        if (before != null && before.joins(next)) {
            open = before.with(next);
            return;
        }
        finish();
        open = next;
    }

    /** Prints what is still open. */
    void finish() throws ToolException {
        MapEntry last = open;
        open = null;
        if (last != null) {
            printer.entry(last);
        }
    }
}
