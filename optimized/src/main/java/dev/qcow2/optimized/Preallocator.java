package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * Gives guest clusters host clusters before the guest writes: long runs at the end of the file, which never held anything
 * and so read as zero. No other request is under way, and both locks are held.
 */
final class Preallocator {

    private static final long RUN_BYTES = 1L << 30;
    private static final long MOST_RUN_CLUSTERS = 1L << 16;
    private static final int ZERO_STEP = 1 << 20;

    private final Image image;
    private final TableGrowth growth;
    private final int clusterBits;

    Preallocator(Image image, TableGrowth growth) {
        this.image = image;
        this.growth = growth;
        this.clusterBits = image.clusterBits();
    }

    void run(long first, long end, Preallocation preallocation) throws DiskException {
        long most = Math.min(MOST_RUN_CLUSTERS, RUN_BYTES >>> clusterBits);
        for (long cluster = first; cluster < end; ) {
            long count = Math.min(most, end - cluster);
            image.relieve();
            allocateRun(cluster, count, preallocation);
            cluster += count;
        }
    }

    private void allocateRun(long first, long count, Preallocation preallocation) throws DiskException {
        MappingTables mapping = image.mapping();
        PendingFrees frees = image.checkpoint().frees();
        long perTable = mapping.leftInTable(0);
        long tables = count / perTable + 2;
        growth.grow(first + count - 1, count + tables);
        // The tables first, so that the data behind them is in one piece.
        for (long cluster = first; cluster < first + count; cluster += mapping.leftInTable(cluster)) {
            mapping.writable(cluster, image.allocator(), frees);
        }
        if (mapping.dataFile()) {
            reserve(first << clusterBits, dataLength(first, count), preallocation);
            link(first, count, first);
            return;
        }
        long needed = count - allocated(first, count);
        if (needed == 0) {
            return;
        }
        long host = image.allocator().allocateContiguous(needed);
        boolean done = false;
        try {
            reserve(host << clusterBits, needed << clusterBits, preallocation);
            link(first, count, host);
            done = true;
        } finally {
            if (!done) {
                image.allocator().release(host, (int) needed);
            }
        }
    }

    private long allocated(long first, long count) throws DiskException {
        long allocated = 0;
        for (long cluster = first; cluster < first + count; cluster++) {
            allocated += isFree(image.mapping().entry(image.mapping().find(cluster), cluster)) ? 0 : 1;
        }
        return allocated;
    }

    private static boolean isFree(long entry) {
        return (entry & (EntryBits.COMPRESSED | EntryBits.COPIED)) == 0 && EntryBits.offset(entry) == 0;
    }

    /** Makes the file reach over the run, with as much space behind it as was asked for. */
    private void reserve(long offset, long length, Preallocation preallocation) throws DiskException {
        HostFile host = image.data();
        boolean reserved =
                switch (preallocation) {
                    case OFF, METADATA -> false;
                    case FALLOC -> host.zero(offset, length);
                    case FULL -> write(offset, length);
                };
        if (!reserved && host.size() < offset + length) {
            host.truncate(offset + length);
        }
    }

    private boolean write(long offset, long length) throws DiskException {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(ZERO_STEP, length));
        for (long done = 0; done < length; done += zeros.capacity()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), length - done));
            image.data().write(offset + done, zeros);
        }
        return true;
    }

    private void link(long first, long count, long firstHost) throws DiskException {
        MappingTables mapping = image.mapping();
        long host = firstHost;
        for (long cluster = first; cluster < first + count; cluster++) {
            Slice slice = mapping.writable(
                    cluster, image.allocator(), image.checkpoint().frees());
            if (isFree(mapping.entry(slice, cluster))) {
                mapping.put(slice, cluster, entry(cluster, host << clusterBits), bitmap());
                mapping.slices().markDirty(slice);
                host++;
            } else if (mapping.dataFile()) {
                host++;
            }
        }
        image.noteChange();
    }

    /** QC-CRY-17: encrypted, the host's zeros are none; so the entry hides them, or they are written encrypted. */
    private long entry(long cluster, long hostOffset) throws DiskException {
        long entry = EntryBits.normal(hostOffset);
        if (!image.guestData().encrypted()) {
            return entry;
        }
        if (image.mapping().extended()) {
            return entry;
        }
        if (image.header().version() >= 3) {
            return entry | EntryBits.ZERO;
        }
        ByteBuffer zeros = ByteBuffer.allocate((int) image.clusterSize());
        image.guestData().write(hostOffset, cluster << clusterBits, zeros);
        return entry;
    }

    private long bitmap() {
        return image.guestData().encrypted() ? SubclusterBits.ALL_ZERO : SubclusterBits.ALL_ALLOCATED;
    }

    /** QC-DATA-11: the data file ends where the disk does. */
    private long dataLength(long first, long count) {
        return Math.min(image.size(), (first + count) << clusterBits) - (first << clusterBits);
    }
}
