package dev.qcow2.reference;

import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.host.HostExtent;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Where each part of the disk is in the files of its chain: what {@link Resolver} would read, as a list of places. */
final class HostMap {

    private static final long SECTOR = 512;

    private final List<MappedExtent> extents = new ArrayList<>();

    private HostMap() {}

    /** Maps a range inside the disk. */
    static List<MappedExtent> of(Resolver top, long guestOffset, long length) throws DiskException {
        HostMap map = new HostMap();
        map.addImage(top, guestOffset, length, 0);
        return List.copyOf(map.extents);
    }

    private void addImage(Resolver layer, long guestOffset, long length, int depth) throws DiskException {
        Geometry geometry = layer.image().geometry();
        long end = guestOffset + length;
        for (long at = guestOffset; at < end; ) {
            Mapping mapping = layer.image().locate(geometry.guestCluster(at));
            long step = Math.min(end - at, layer.unitOf(mapping) - at % layer.unitOf(mapping));
            addPart(layer, mapping.l2(), at, step, depth);
            at += step;
        }
    }

    /** Adds a part of one cluster, all of one kind. */
    private void addPart(Resolver layer, L2Entry entry, long at, long length, int depth) throws DiskException {
        Geometry geometry = layer.image().geometry();
        int inCluster = geometry.offsetInCluster(at);
        // What stands at the place of an encrypted cluster is of no use to anybody.
        OptionalLong place = entry.hasHostCluster() && !layer.image().data().encrypted()
                ? OptionalLong.of(entry.hostOffset() + inCluster)
                : OptionalLong.empty();
        switch (entry.kindAt(inCluster, geometry)) {
            case NORMAL -> add(new MappedExtent(at, length, Content.DATA, true, depth, place, false));
            case COMPRESSED -> add(new MappedExtent(at, length, Content.DATA, true, depth, OptionalLong.empty(), true));
            case ZERO_PLAIN, ZERO_ALLOCATED ->
                add(new MappedExtent(at, length, Content.ZERO, true, depth, place, false));
            case UNALLOCATED -> addOpen(layer, at, length, depth, place);
            case MIXED -> throw new IllegalStateException("a subcluster is not mixed");
        }
    }

    /** QC-L2-10: the backing file decides. QC-BACK-01: as far as it goes. */
    private void addOpen(Resolver layer, long at, long length, int depth, OptionalLong place) throws DiskException {
        long covered = 0;
        if (layer.backing().isPresent()) {
            Layer below = layer.backing().get();
            long most = Math.min(layer.size(), below instanceof Layer.Raw ? roundedUp(below.size()) : below.size());
            covered = Math.max(0, Math.min(length, most - at));
            addBelow(below, at, covered, depth + 1);
        }
        if (covered < length) {
            OptionalLong rest = place.isPresent() ? OptionalLong.of(place.getAsLong() + covered) : OptionalLong.empty();
            add(new MappedExtent(at + covered, length - covered, Content.ZERO, false, depth, rest, false));
        }
    }

    private void addBelow(Layer below, long at, long length, int depth) throws DiskException {
        if (below instanceof Resolver image) {
            addImage(image, at, length, depth);
        } else if (below instanceof Layer.Raw raw) {
            addRaw(raw, at, length, depth);
        }
    }

    private void addRaw(Layer.Raw raw, long from, long length, int depth) throws DiskException {
        long end = from + length;
        for (long at = from; at < end; ) {
            // Behind the last byte the sector goes on as a hole would.
            HostExtent run = at < raw.size() ? raw.file().extent(at) : new HostExtent(true, end);
            long step = Math.min(run.end(), end) - at;
            Content content = run.hole() ? Content.ZERO : Content.DATA;
            add(new MappedExtent(at, step, content, true, depth, OptionalLong.of(at), false));
            at += step;
        }
    }

    private static long roundedUp(long size) {
        return (size + SECTOR - 1) / SECTOR * SECTOR;
    }

    /** Adds an extent, or lengthens the last one by it. */
    private void add(MappedExtent next) {
        int last = extents.size() - 1;
        if (last < 0 || !extents.get(last).joins(next)) {
            extents.add(next);
            return;
        }
        MappedExtent old = extents.get(last);
        extents.set(
                last,
                new MappedExtent(
                        old.guestOffset(),
                        old.length() + next.length(),
                        old.content(),
                        old.allocated(),
                        old.depth(),
                        old.hostOffset(),
                        old.compressed()));
    }
}
