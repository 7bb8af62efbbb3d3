package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;

/**
 * Turns the zero clusters of the disk into what version 2 can say (QC-MNT-17): nothing, or zeros as data where a backing
 * file would show. The guest reads the same before, in between and after.
 */
final class ZeroClusterRemoval {

    private final Image image;
    private final MappingTables mapping;
    private final ZeroPath unmapping;
    private final ZeroPath writing;

    ZeroClusterRemoval(Image image, WritePath writes) {
        this.image = image;
        this.mapping = image.mapping();
        this.unmapping = ZeroPath.withoutZeroClusters(image, writes, true);
        boolean nothingBelow = image.header().backingName().isEmpty();
        this.writing = ZeroPath.withoutZeroClusters(image, writes, nothingBelow);
    }

    /** Does it, while no other request is under way. */
    void run() throws DiskException {
        long perTable = mapping.leftInTable(0);
        for (int table = 0; table < mapping.l1().entries(); table++) {
            if (mapping.l2Offset(table) != 0) {
                runTable(table * perTable, (table + 1) * perTable);
            }
        }
        image.checkpoint().run();
    }

    private void runTable(long first, long end) throws DiskException {
        for (long cluster = first; cluster < end; ) {
            image.relieve();
            long behind = cluster;
            while (behind < end && isZero(behind)) {
                behind++;
            }
            remove(cluster, behind);
            cluster = Math.max(behind, cluster + 1);
        }
    }

    private boolean isZero(long cluster) throws DiskException {
        return switch (EntryBits.kind(mapping.entry(mapping.find(cluster), cluster))) {
            case ZERO_PLAIN, ZERO_ALLOCATED -> true;
            case UNALLOCATED, NORMAL, COMPRESSED -> false;
        };
    }

    private void remove(long first, long end) throws DiskException {
        int bits = image.clusterBits();
        long inDisk = Math.max(first, Math.min(end, (image.size() + image.clusterSize() - 1) >>> bits));
        if (first < inDisk) {
            writing.zeroAlone(first << bits, Math.min(image.size(), inDisk << bits));
        }
        if (inDisk < end) {
            unmapping.unmapAlone(inDisk, end);
        }
    }
}
