package dev.qcow2.optimized;

import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Collects the places of the disk's bytes on the host, and joins neighbours that lie together. */
final class MapCollector {

    private final List<MappedExtent> extents = new ArrayList<>();
    // The last extent, which may still grow.
    private @Nullable MappedExtent open;

    void add(long offset, long length, Content content, boolean allocated, int depth, OptionalLong host) {
        add(new MappedExtent(offset, length, content, allocated, depth, host, false));
    }

    private void add(MappedExtent next) {
        MappedExtent before = open;
        if (before != null && before.joins(next)) {
            open = new MappedExtent(
                    before.guestOffset(),
                    before.length() + next.length(),
                    before.content(),
                    before.allocated(),
                    before.depth(),
                    before.hostOffset(),
                    before.compressed());
            return;
        }
        if (before != null) {
            extents.add(before);
        }
        open = next;
    }

    /** Adds where a range inside an image's disk is, in its files or in those below. */
    void add(Image image, long offset, long length, int depth) throws DiskException {
        long end = offset + length;
        Request request = image.beginRead(offset, end);
        Run run = request.run;
        try {
            for (long at = offset; at < end; at += run.length) {
                image.locate(at, end - at, run);
                if (run.kind == ClusterKind.ZERO_PLAIN || run.kind == ClusterKind.ZERO_ALLOCATED) {
                    // A run of zeros may join clusters with and without a place.
                    long left = image.clusterSize() - (at & (image.clusterSize() - 1));
                    image.locate(at, Math.min(end - at, left), run);
                }
                add(image, at, run, depth);
            }
        } finally {
            image.requests().leave(request);
        }
    }

    private void add(Image image, long at, Run run, int depth) throws DiskException {
        OptionalLong place = place(image, at, run);
        switch (run.kind) {
            case NORMAL -> add(at, run.length, Content.DATA, true, depth, place);
            case COMPRESSED ->
                add(new MappedExtent(at, run.length, Content.DATA, true, depth, OptionalLong.empty(), true));
            case ZERO_PLAIN, ZERO_ALLOCATED -> add(at, run.length, Content.ZERO, true, depth, place);
            case UNALLOCATED -> addOpen(image, at, run.length, place, depth);
        }
    }

    /** Where a run is; what stands at the place of an encrypted cluster is of no use to anybody. */
    private static OptionalLong place(Image image, long at, Run run) throws DiskException {
        if (image.guestData().encrypted()) {
            return OptionalLong.empty();
        }
        boolean extended = image.mapping().extended();
        boolean named =
                switch (run.kind) {
                    case NORMAL -> true;
                    case COMPRESSED -> false;
                    case ZERO_PLAIN, ZERO_ALLOCATED, UNALLOCATED ->
                        (extended || run.kind == ClusterKind.ZERO_ALLOCATED)
                                && (run.hostOffset >= image.clusterSize() || isFirstOfDataFile(image, at, run));
                };
        return named ? OptionalLong.of(run.hostOffset) : OptionalLong.empty();
    }

    /** QC-DATA-04: offset 0 is a place in a data file, if the COPIED flag says that it is meant. */
    private static boolean isFirstOfDataFile(Image image, long at, Run run) throws DiskException {
        if (image.dataFile() == null || at >= image.clusterSize() || run.hostOffset != at) {
            return false;
        }
        image.metadata().lock();
        try {
            image.warm(0);
            return image.mapping().extended()
                    && EntryBits.copied(image.mapping().entry(image.mapping().find(0), 0));
        } finally {
            image.metadata().unlock();
        }
    }

    private void addOpen(Image image, long at, long length, OptionalLong place, int depth) throws DiskException {
        Layer backing = image.backing();
        long covered = 0;
        if (backing != null) {
            covered = Math.max(0, Math.min(length, Math.min(image.size(), backing.mappedSize()) - at));
            if (covered > 0) {
                backing.map(at, covered, depth + 1, this);
            }
        }
        if (covered < length) {
            OptionalLong rest = place.isPresent() ? OptionalLong.of(place.getAsLong() + covered) : place;
            add(at + covered, length - covered, Content.ZERO, false, depth, rest);
        }
    }

    List<MappedExtent> extents() {
        if (open != null) {
            extents.add(open);
            open = null;
        }
        return List.copyOf(extents);
    }
}
