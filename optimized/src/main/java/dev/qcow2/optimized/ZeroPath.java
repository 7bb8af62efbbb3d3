package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Write zeroes and discard: whole clusters change their entry only, the rest is written as data. */
final class ZeroPath {

    private static final int ZERO_STEP = 1 << 18;

    /** What shall become of the entry of a whole cluster. */
    private enum Purpose {
        /** It must read as zero; its host cluster may go. */
        ZERO_AND_UNMAP,
        /** It must read as zero, and keeps its host cluster if that is its own. */
        ZERO_AND_KEEP,
        /** Its content is not needed any more. */
        DISCARD
    }

    private final Image image;
    private final WritePath writes;
    private final MappingTables mapping;
    private final int clusterBits;
    private final boolean zeroClusters;
    private final boolean nothingBelow;

    ZeroPath(Image image, WritePath writes) {
        this.image = image;
        this.writes = writes;
        this.mapping = image.mapping();
        this.clusterBits = image.clusterBits();
        this.zeroClusters = image.header().version() >= 3;
        this.nothingBelow = image.backing() == null;
    }

    void writeZeroes(long offset, long length, ZeroMode mode) throws DiskException {
        Purpose purpose = mode == ZeroMode.KEEP_ALLOCATION ? Purpose.ZERO_AND_KEEP : Purpose.ZERO_AND_UNMAP;
        long end = offset + length;
        image.relieve();
        Request request = writes.beginWhole(offset, end);
        try {
            image.mark(offset, length);
            zeroClaimed(request, offset, end, purpose);
        } finally {
            image.requests().leave(request);
        }
        image.finishChange();
    }

    /** Makes a range that the request has claimed read as zero. */
    private void zeroClaimed(Request request, long offset, long end, Purpose purpose) throws DiskException {
        long firstWhole = firstWhole(offset);
        long endWhole = Math.max(firstWhole, endWhole(end));
        zeroPart(request, offset, Math.min(end, firstWhole << clusterBits));
        if (zeroClusters || nothingBelow) {
            changeEntries(firstWhole, endWhole, purpose);
        } else {
            // Version 2 has no entry that hides the backing file, so the zeros are data.
            writeZeros(request, firstWhole << clusterBits, Math.min(end, endWhole << clusterBits));
        }
        zeroPart(request, Math.max(offset, endWhole << clusterBits), end);
    }

    /** As {@link #writeZeroes}, while no other request is under way. */
    void zeroAlone(long offset, long end) throws DiskException {
        if (offset < end) {
            zeroClaimed(new Request(), offset, end, Purpose.ZERO_AND_UNMAP);
        }
    }

    /** Gives up the host clusters of a range of guest clusters that has an L2 table; nobody else is under way. */
    void unmapAlone(long first, long end) throws DiskException {
        changeEntries(first, end, Purpose.ZERO_AND_UNMAP);
    }

    void discard(long offset, long length) throws DiskException {
        long firstWhole = firstWhole(offset);
        long endWhole = endWhole(offset + length);
        if (firstWhole >= endWhole || (!zeroClusters && !nothingBelow)) {
            image.mark(offset, length);
            return;
        }
        image.relieve();
        Request request = writes.beginWhole(firstWhole << clusterBits, endWhole << clusterBits);
        try {
            image.mark(offset, length);
            // QC-GUEST-05: the clusters that lie in the range in part are not touched.
            changeEntries(firstWhole, endWhole, Purpose.DISCARD);
        } finally {
            image.requests().leave(request);
        }
        image.finishChange();
    }

    private long firstWhole(long offset) {
        return (offset >>> clusterBits) + ((offset & (image.clusterSize() - 1)) == 0 ? 0 : 1);
    }

    private long endWhole(long end) {
        // The disk's last cluster is whole if all of it that the disk has is in the range.
        return end == image.size() ? firstWhole(end) : end >>> clusterBits;
    }

    private void zeroPart(Request request, long from, long to) throws DiskException {
        if (from >= to) {
            return;
        }
        long start = from >>> clusterBits << clusterBits;
        long end = Math.min(image.size(), start + image.clusterSize());
        if (!image.readsAsZero(start, end - start, request.run)) {
            writeZeros(request, from, to);
        }
    }

    private void writeZeros(Request request, long from, long to) throws DiskException {
        if (from >= to) {
            return;
        }
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(to - from, ZERO_STEP));
        for (long at = from; at < to; at += zeros.capacity()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), to - at));
            writes.writeClaimed(request, at, zeros);
        }
    }

    private void changeEntries(long first, long end, Purpose purpose) throws DiskException {
        for (long cluster = first; cluster < end; ) {
            image.relieve();
            long done = tryChange(cluster, end, purpose);
            if (done == 0) {
                writes.growth().grow(cluster, 1);
            }
            cluster += done;
        }
    }

    /** Changes the entries of one slice; returns how many clusters are done, 0 if a table must grow first. */
    private long tryChange(long cluster, long end, Purpose purpose) throws DiskException {
        image.metadata().lock();
        try {
            image.warm(cluster);
            Slice slice = mapping.find(cluster);
            if (slice == null && newEntry(0, purpose) == 0) {
                return Math.min(end - cluster, mapping.leftInTable(cluster));
            }
            int count = (int) Math.min(end - cluster, mapping.leftInSlice(cluster));
            if (!changesAny(slice, cluster, count, purpose)) {
                return count;
            }
            if (!mapping.reaches(cluster) || !image.allocator().hasRoomFor(1)) {
                return 0;
            }
            change(cluster, count, purpose);
            image.noteChange();
            return count;
        } finally {
            image.metadata().unlock();
        }
    }

    private boolean changesAny(@Nullable Slice slice, long cluster, int count, Purpose purpose) throws DiskException {
        boolean changes = false;
        for (int i = 0; i < count; i++) {
            long old = mapping.entry(slice, cluster + i);
            changes |= newEntry(old, purpose) != old;
        }
        return changes;
    }

    private void change(long cluster, int count, Purpose purpose) throws DiskException {
        PendingFrees frees = image.checkpoint().frees();
        Slice slice = mapping.writable(cluster, image.allocator(), frees);
        int index = mapping.indexInSlice(cluster);
        for (int i = 0; i < count; i++) {
            long old = slice.get(index + i);
            long changed = newEntry(old, purpose);
            if (EntryBits.offset(old) != 0 && EntryBits.offset(changed) == 0) {
                frees.add(EntryBits.offset(old) >>> clusterBits);
            }
            slice.set(index + i, changed);
        }
        mapping.slices().markDirty(slice);
    }

    private long newEntry(long old, Purpose purpose) throws DiskException {
        return switch (EntryBits.kind(old)) {
            case COMPRESSED -> throw mapping.compressed();
            case ZERO_PLAIN -> old;
            case UNALLOCATED -> zeroClusters && !(purpose == Purpose.DISCARD && nothingBelow) ? EntryBits.ZERO : old;
            case NORMAL, ZERO_ALLOCATED -> {
                if (!zeroClusters) {
                    yield 0;
                }
                boolean keeps = purpose == Purpose.ZERO_AND_KEEP && EntryBits.copied(old);
                // QC-L2-09, or without a host cluster QC-L2-07.
                yield keeps ? old | EntryBits.ZERO : EntryBits.ZERO;
            }
        };
    }
}
