package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_03;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;

/**
 * Replaces a table that the header names by a longer one: the new table complete and counted on disk, then the header in
 * one write, then the old table freed (QC-L1-06, QC-REF-12). It happens a few times in the life of an image, so both
 * locks are simply held all the while.
 */
final class TableGrowth {

    private final Image image;
    private final int clusterBits;

    TableGrowth(Image image) {
        this.image = image;
        this.clusterBits = image.clusterBits();
    }

    /** Makes both tables long enough to map a guest cluster and to allocate so many clusters; no lock is held. */
    void grow(long guestCluster, long clusters) throws DiskException {
        image.checkpoint().writer().lock();
        image.metadata().lock();
        try {
            long entries = l1EntriesFor(guestCluster);
            long l1Clusters = image.mapping().reaches(guestCluster) ? 0 : clusters(8 * entries);
            ensureRoomFor(clusters + l1Clusters + 1);
            if (l1Clusters > 0) {
                growL1(l1Clusters, (int) entries);
            }
        } finally {
            image.metadata().unlock();
            image.checkpoint().writer().unlock();
        }
    }

    /** Makes the refcount table long enough; both locks are held. */
    void ensureRoomFor(long clusters) throws DiskException {
        if (!image.allocator().hasRoomFor(clusters)) {
            growRefcountTable(clusters);
        }
    }

    /** Entries for the disk, or to reach machine state behind it; half as much again, for that comes piece by piece. */
    private long l1EntriesFor(long guestCluster) {
        long needed = guestCluster / image.mapping().leftInTable(0) + 1;
        long forDisk = image.header().l1EntriesFor(image.size());
        return needed <= forDisk ? forDisk : Math.min(ImageHeader.MAX_L1_BYTES / 8, needed + needed / 2);
    }

    private long clusters(long bytes) {
        return (bytes + image.clusterSize() - 1) >>> clusterBits;
    }

    private void growL1(long clusters, int entries) throws DiskException {
        Checkpoint checkpoint = image.checkpoint();
        // From here on nothing is dirty, so the new table names no L2 table that isn't on disk.
        checkpoint.run();
        RootTable old = image.mapping().l1();
        long first = image.allocator().allocateContiguous(clusters);
        RootTable longer = new RootTable(image.host(), first << clusterBits, entries);
        boolean complete = false;
        try {
            image.allocator().clear(first, clusters);
            old.copyInto(longer);
            writeOut(longer);
            checkpoint.run();
            complete = true;
        } finally {
            if (!complete) {
                image.allocator().release(first, (int) clusters);
            }
        }
        switchHeader(() -> HeaderFields.setL1(image.host(), longer.entries(), longer.hostOffset()));
        image.mapping().replaceL1(longer);
        if (old.entries() > 0) {
            checkpoint.releaseNow(
                    old.hostOffset() >>> clusterBits, (8L * old.entries() + image.clusterSize() - 1) >>> clusterBits);
        }
    }

    /** Writes a whole table to clusters that nothing names yet. */
    void writeOut(RootTable table) throws DiskException {
        WriteBatch batch = new WriteBatch();
        batch.stage(table.takeDirty());
        try {
            batch.write(image.host());
        } finally {
            batch.settle();
        }
    }

    /** A write of header fields. */
    interface HeaderChange {
        /** Writes them. */
        void apply() throws DiskException;
    }

    /** Makes the header name another table, and waits until the disk has it. */
    void switchHeader(HeaderChange change) throws DiskException {
        try {
            change.apply();
        } catch (DiskException e) {
            // Nobody knows which of the two tables the header names now.
            image.health().poison(e);
            throw e;
        }
        image.checkpoint().flushHost();
    }

    private void growRefcountTable(long clusters) throws DiskException {
        Checkpoint checkpoint = image.checkpoint();
        checkpoint.run();
        RefcountStore refcounts = image.refcounts();
        RootTable old = refcounts.table();
        long start = image.space().usedClusters();
        int tableClusters = tableClustersFor(start, clusters);
        RootTable longer = new RootTable(image.host(), start << clusterBits, tableClusters << (clusterBits - 3));
        old.copyInto(longer);
        refcounts.replaceTable(longer);
        boolean complete = false;
        try {
            countArea(longer, start, tableClusters);
            checkpoint.run();
            complete = true;
        } finally {
            if (!complete) {
                takeBack(old, start);
            }
        }
        switchHeader(() -> HeaderFields.setRefcountTable(image.host(), longer.hostOffset(), tableClusters));
        checkpoint.releaseNow(old.hostOffset() >>> clusterBits, old.entries() >>> (clusterBits - 3));
    }

    private int tableClustersFor(long start, long clusters) throws DiskException {
        RefcountStore refcounts = image.refcounts();
        long half = refcounts.table().entries() * 3L / 2;
        long table = 1;
        long before;
        do {
            before = table;
            long used = start + table + clusters;
            // Twice what the blocks need at most, and some to spare.
            long entries =
                    Math.max(half, ((used + 2 * (used >>> refcounts.blockBits())) >>> refcounts.blockBits()) + 4);
            table = (entries * 8 + image.clusterSize() - 1) >>> clusterBits;
        } while (table != before);
        if (table << clusterBits > ImageHeader.MAX_REFCOUNT_TABLE_BYTES) {
            throw new RequestRefusedException(
                    image.host().name(), QC_LIM_03, "the refcount table would have to grow beyond 8 MiB");
        }
        return (int) table;
    }

    /** Adds the blocks that count the new table and themselves, and counts all of it (QC-REF-10). */
    private void countArea(RootTable longer, long start, int tableClusters) throws DiskException {
        RefcountStore refcounts = image.refcounts();
        long end = start + tableClusters;
        image.allocator().clear(start, tableClusters);
        for (long index = start >>> refcounts.blockBits(); index <= (end - 1) >>> refcounts.blockBits(); index++) {
            if (longer.get((int) index) == 0) {
                image.allocator().clear(end, 1);
                image.space().use(end, 1);
                refcounts.addBlock(index, end);
                end++;
            }
        }
        image.space().use(start, end - start);
        for (long cluster = start; cluster < end; cluster++) {
            refcounts.setUntold(cluster, 1);
        }
    }

    private void takeBack(RootTable old, long start) throws DiskException {
        RefcountStore refcounts = image.refcounts();
        long end = image.space().usedClusters();
        refcounts.replaceTable(old);
        refcounts.blocks().forget(start << clusterBits, (end - start) << clusterBits);
        for (long cluster = start; cluster < end && refcounts.hasBlock(cluster); cluster++) {
            refcounts.setUntold(cluster, 0);
        }
    }
}
