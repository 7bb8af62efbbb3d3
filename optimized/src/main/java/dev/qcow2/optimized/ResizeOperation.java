package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_02;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_06;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_04;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_06;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.HostException;
import dev.qcow2.spec.disk.RequestRefusedException;

/**
 * Changes the length of the disk, while no other request is under way. It turns on one write of the header: what a longer
 * disk needs is on the disk before that, and what a shorter one does not need is given up after it.
 */
final class ResizeOperation {

    private final Image image;
    private final TableGrowth growth;
    private final ZeroPath zeroes;
    private final Preallocator preallocator;
    private final int clusterBits;

    ResizeOperation(Image image, TableGrowth growth, ZeroPath zeroes) {
        this.image = image;
        this.growth = growth;
        this.zeroes = zeroes;
        this.preallocator = new Preallocator(image, growth);
        this.clusterBits = image.clusterBits();
    }

    void run(long newSize, Preallocation preallocation) throws DiskException {
        long oldSize = image.size();
        if (newSize > oldSize) {
            grow(oldSize, newSize, preallocation);
        } else if (newSize < oldSize) {
            shrink(newSize);
        }
    }

    /** Refuses what the format forbids, before anything changes. */
    void requireAllowed(long newSize, Preallocation preallocation, boolean snapshotsKnowTheirSize)
            throws DiskException {
        require(newSize >= 0, QC_LIM_06, "a negative size");
        require(
                image.header().l1EntriesFor(newSize) <= ImageHeader.MAX_L1_BYTES / 8,
                QC_LIM_02,
                "a disk of " + newSize + " bytes needs an L1 table beyond 32 MiB");
        require(snapshotsKnowTheirSize, QC_MNT_04, "snapshots do not know their size");
        require(
                newSize >= image.size() || preallocation == Preallocation.OFF,
                QC_MNT_06,
                "a disk that becomes shorter has nothing to preallocate");
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(image.host().name(), clause, reason);
        }
    }

    private void grow(long oldSize, long newSize, Preallocation preallocation) throws DiskException {
        boolean done = false;
        try {
            dropFrom(clustersFor(oldSize));
            cleanDataFile(oldSize, newSize, preallocation);
            image.setSize(newSize);
            // QC-MNT-05
            growth.grow(clustersFor(newSize) - 1, 1);
            // QC-MNT-01: behind the old end there may be anything, of the last cluster and of the backing file.
            zeroes.zeroAlone(oldSize, Math.min(newSize, clustersFor(oldSize) << clusterBits));
            preallocate(oldSize, newSize, preallocation);
            hideBacking(clustersFor(oldSize) << clusterBits, newSize, preallocation);
            setDataFileSize(newSize, true);
            image.checkpoint().run();
            growth.switchHeader(() -> HeaderFields.setSize(image.host(), newSize));
            done = true;
        } finally {
            if (!done) {
                // QC-MNT-03: what was made behind the old end is never shown, and goes with the next resize.
                image.setSize(oldSize);
            }
        }
    }

    /** QC-DATA-09, and what is preallocated is shown at once; otherwise no entry leads there. */
    private void cleanDataFile(long oldSize, long newSize, Preallocation preallocation) throws DiskException {
        DataFile data = image.dataFile();
        if (data != null && (data.raw() || preallocation != Preallocation.OFF)) {
            data.clean(oldSize, newSize);
        }
    }

    private void hideBacking(long from, long newSize, Preallocation preallocation) throws DiskException {
        Layer backing = image.backing();
        if (backing != null && preallocation == Preallocation.OFF) {
            zeroes.zeroAlone(from, Math.min(newSize, backing.size()));
        }
    }

    /** Gives the clusters that begin in a range host clusters of their own (QC-MNT-07). */
    void preallocate(long from, long to, Preallocation preallocation) throws DiskException {
        if (preallocation != Preallocation.OFF) {
            preallocator.run(clustersFor(from), clustersFor(to), preallocation);
            image.checkpoint().run();
        }
    }

    /** QC-DATA-11: makes the data file as long as the disk; when the disk grows it never becomes shorter. */
    private void setDataFileSize(long newSize, boolean growOnly) throws DiskException {
        DataFile data = image.dataFile();
        if (data != null && (!growOnly || data.host().size() < newSize)) {
            data.host().truncate(newSize);
        }
    }

    private void shrink(long newSize) throws DiskException {
        long end = clustersFor(newSize);
        image.checkpoint().run();
        // All that will be given up is looked at first: what is broken must show before anything changes.
        new MappedTree(image).check(image.mapping().l1(), firstTable(end));
        growth.switchHeader(() -> HeaderFields.setSize(image.host(), newSize));
        image.setSize(newSize);
        try {
            // QC-MNT-02
            zeroes.zeroAlone(newSize, end << clusterBits);
            dropFrom(end);
            setDataFileSize(newSize, false);
        } catch (HostException e) {
            // The disk has its new size. What is left behind the end is never shown, and goes with the next resize.
            image.noteChange();
        }
    }

    /** Gives up all that the image maps. */
    void empty() throws DiskException {
        image.checkpoint().run();
        dropFrom(0);
    }

    private long clustersFor(long bytes) {
        return bytes == 0 ? 0 : ((bytes - 1) >>> clusterBits) + 1;
    }

    /** The first L1 entry that maps nothing before a guest cluster. */
    private int firstTable(long cluster) {
        long perTable = image.mapping().leftInTable(0);
        return Math.toIntExact((cluster + perTable - 1) / perTable);
    }

    /** Gives up all that is mapped from a guest cluster on. */
    private void dropFrom(long firstCluster) throws DiskException {
        MappingTables mapping = image.mapping();
        long perTable = mapping.leftInTable(0);
        int firstTable = firstTable(firstCluster);
        if (firstTable * perTable > firstCluster && mapping.find(firstCluster) != null) {
            zeroes.unmapAlone(firstCluster, firstTable * perTable);
        }
        new MappedTree(image).giveUpFrom(firstTable);
    }
}
