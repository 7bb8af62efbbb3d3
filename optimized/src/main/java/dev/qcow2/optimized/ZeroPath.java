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
        DISCARD,
        /** It is behind the disk's end: the entry says nothing any more, so that a disk that grows again has nothing there. */
        GIVE_UP
    }

    private final Image image;
    private final WritePath writes;
    private final MappingTables mapping;
    private final int clusterBits;
    private final boolean zeroClusters;
    private final boolean nothingBelow;
    private final boolean subclusters;

    /** Bits of what can be zeroed by metadata alone: a cluster or a subcluster. */
    private final int unitBits;

    ZeroPath(Image image, WritePath writes) {
        this.image = image;
        this.writes = writes;
        this.mapping = image.mapping();
        this.clusterBits = image.clusterBits();
        this.zeroClusters = image.header().version() >= 3;
        this.nothingBelow = image.backing() == null;
        this.subclusters = mapping.extended() && image.options().subclusterWrites();
        this.unitBits = subclusters ? clusterBits - SubclusterBits.SUBCLUSTER_BITS : clusterBits;
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
        zeroEdge(request, offset, Math.min(end, firstWhole << clusterBits), purpose);
        if (zeroClusters || nothingBelow) {
            changeEntries(firstWhole, endWhole, purpose);
        } else {
            // Version 2 has no entry that hides the backing file, so the zeros are data.
            writeZeros(request, firstWhole << clusterBits, Math.min(end, endWhole << clusterBits));
        }
        zeroEdge(request, Math.max(offset, endWhole << clusterBits), end, purpose);
    }

    /** As {@link #writeZeroes}, while no other request is under way. */
    void zeroAlone(long offset, long end) throws DiskException {
        if (offset < end) {
            zeroClaimed(new Request(), offset, end, Purpose.ZERO_AND_UNMAP);
        }
    }

    /** Gives up a range of guest clusters that has an L2 table, entries and all; nobody else is under way. */
    void unmapAlone(long first, long end) throws DiskException {
        changeEntries(first, end, Purpose.GIVE_UP);
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

    /** A part of one cluster: as far as it is made of whole subclusters, bits are enough. */
    private void zeroEdge(Request request, long from, long to, Purpose purpose) throws DiskException {
        long mask = (1L << unitBits) - 1;
        long firstWhole = (from + mask) & ~mask;
        long endWhole = to == image.size() ? to : to & ~mask;
        if (!subclusters || firstWhole >= endWhole) {
            zeroPart(request, from, to);
            return;
        }
        // The parts are data, so they come first: once the bits are set, a cluster that has no data left would be given
        // up,
        // and the parts would take another one.
        zeroPart(request, from, firstWhole);
        zeroPart(request, endWhole, to);
        zeroData(firstWhole, endWhole, purpose);
        if (!zeroSubclusters(firstWhole, endWhole, purpose)) {
            writeZeros(request, firstWhole, endWhole);
        }
    }

    /** Changes the bits of whole subclusters of one cluster; false if the cluster has none, because it is compressed. */
    private boolean zeroSubclusters(long from, long to, Purpose purpose) throws DiskException {
        long cluster = from >>> clusterBits;
        while (true) {
            image.relieve();
            image.metadata().lock();
            try {
                image.warm(cluster);
                if ((mapping.entry(mapping.find(cluster), cluster) & EntryBits.COMPRESSED) != 0) {
                    return false;
                }
                if (mapping.reaches(cluster) && image.allocator().hasRoomFor(1)) {
                    clearSubclusters(cluster, image.subclusters().mask(from, to), purpose);
                    return true;
                }
            } finally {
                image.metadata().unlock();
            }
            writes.growth().grow(cluster, 1);
        }
    }

    private void clearSubclusters(long cluster, int mask, Purpose purpose) throws DiskException {
        Slice found = mapping.find(cluster);
        long entry = mapping.entry(found, cluster);
        long before = mapping.bitmap(found, cluster);
        long bitmap = SubclusterBits.zeroed(before, mask);
        if (bitmap == before) {
            return;
        }
        PendingFrees frees = image.checkpoint().frees();
        Slice slice = mapping.writable(cluster, image.allocator(), frees);
        boolean keeps = SubclusterBits.allocated(bitmap) != 0 || purpose == Purpose.ZERO_AND_KEEP;
        if (!keeps) {
            mapping.requireDroppable(slice, cluster, 1);
            mapping.drop(entry, frees);
        }
        mapping.put(slice, cluster, keeps ? entry : 0, bitmap);
        mapping.slices().markDirty(slice);
        image.noteChange();
    }

    private void zeroPart(Request request, long from, long to) throws DiskException {
        if (from >= to) {
            return;
        }
        long mask = (1L << unitBits) - 1;
        long start = from & ~mask;
        // What lies behind the end of a disk that became shorter is looked at too.
        long end = Math.max(to, Math.min(image.size(), (to + mask) & ~mask));
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

    /** What an entry will say, a raw data file must hold already. */
    private void zeroData(long from, long to, Purpose purpose) throws DiskException {
        DataFile data = image.dataFile();
        long end = Math.min(to, image.size());
        if (data != null && from < end) {
            data.zero(from, end - from, purpose != Purpose.ZERO_AND_KEEP);
        }
    }

    private void changeEntries(long first, long end, Purpose purpose) throws DiskException {
        zeroData(first << clusterBits, end << clusterBits, purpose);
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
            if (slice == null && newEntry(0, purpose) == 0 && newBitmap(0, 0, purpose) == 0) {
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
            long bitmap = mapping.bitmap(slice, cluster + i);
            changes |= newEntry(old, purpose) != old || newBitmap(old, bitmap, purpose) != bitmap;
        }
        return changes;
    }

    private void change(long cluster, int count, Purpose purpose) throws DiskException {
        PendingFrees frees = image.checkpoint().frees();
        Slice slice = mapping.writable(cluster, image.allocator(), frees);
        mapping.requireDroppable(slice, cluster, count);
        for (long at = cluster; at < cluster + count; at++) {
            long old = EntryBits.meant(mapping.rawEntry(slice, at), mapping.dataFile());
            long changed = newEntry(old, purpose);
            if (EntryBits.offset(changed) == 0) {
                mapping.drop(old, frees);
            }
            mapping.put(slice, at, changed, newBitmap(old, mapping.bitmap(slice, at), purpose));
        }
        mapping.slices().markDirty(slice);
    }

    private long newBitmap(long old, long bitmap, Purpose purpose) {
        if (!mapping.extended() || purpose == Purpose.GIVE_UP) {
            return 0;
        }
        boolean nothing = old == 0 && purpose == Purpose.DISCARD && nothingBelow;
        return nothing ? bitmap : SubclusterBits.ALL_ZERO;
    }

    private boolean keeps(long old, Purpose purpose) {
        // A place in a data file is nothing that could be lost, so nothing need be kept.
        return purpose == Purpose.ZERO_AND_KEEP && EntryBits.ownsCluster(old) && !mapping.dataFile();
    }

    private long newEntry(long old, Purpose purpose) {
        if (purpose == Purpose.GIVE_UP) {
            return 0;
        }
        if (mapping.extended()) {
            return keeps(old, purpose) ? old : 0;
        }
        return switch (EntryBits.kind(old)) {
            case ZERO_PLAIN -> zeroClusters ? old : 0;
            case UNALLOCATED -> zeroClusters && !(purpose == Purpose.DISCARD && nothingBelow) ? EntryBits.ZERO : old;
            case NORMAL, ZERO_ALLOCATED, COMPRESSED -> {
                if (!zeroClusters) {
                    yield 0;
                }
                // QC-L2-09, or without a host cluster QC-L2-07.
                yield keeps(old, purpose) ? old | EntryBits.ZERO : EntryBits.ZERO;
            }
        };
    }
}
