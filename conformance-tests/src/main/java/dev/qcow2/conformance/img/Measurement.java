package dev.qcow2.conformance.img;

import dev.qcow2.spec.disk.CreateOptions;

/**
 * How long the file of an image gets, from the numbers of its format alone: header, L1 and L2 tables for the whole disk, reference
 * counts for all of it, and guest clusters.
 */
final class Measurement {

    private static final long ENTRY_BYTES = 8;
    private static final long EXTENDED_ENTRY_BYTES = 16;

    private final CreateOptions options;
    private final long clusterSize;

    Measurement(CreateOptions options) {
        this.options = options;
        this.clusterSize = 1L << options.clusterBits();
    }

    /** Bytes of a guest cluster. */
    long clusterSize() {
        return clusterSize;
    }

    /** The disk's size in whole clusters. */
    long alignedSize() {
        return roundedUp(options.size(), clusterSize);
    }

    /** The file's length if every guest cluster is allocated; the area of a LUKS header not counted. */
    long fullyAllocated() {
        long guest = alignedSize();
        long entryBytes = options.features().extendedL2() ? EXTENDED_ENTRY_BYTES : ENTRY_BYTES;
        long l2Entries = roundedUp(guest / clusterSize, clusterSize / entryBytes);
        long l2Bytes = l2Entries * entryBytes;
        long l1Bytes = roundedUp(l2Bytes / clusterSize, clusterSize / ENTRY_BYTES) * ENTRY_BYTES;
        long counted = clusterSize + l1Bytes + l2Bytes + guest;
        return counted + countBytes(counted / clusterSize);
    }

    /** The refcount table and its blocks, which count themselves, too. */
    private long countBytes(long clusters) {
        long countsPerBlock = (clusterSize * 8) >>> options.refcountOrder();
        long blocksPerTable = clusterSize / ENTRY_BYTES;
        long own = 0;
        while (true) {
            long blocks = dividedUp(clusters + own, countsPerBlock);
            long needed = blocks + dividedUp(blocks, blocksPerTable);
            if (needed <= own) {
                return own * clusterSize;
            }
            own = needed;
        }
    }

    /** What a bitmap takes: its table, its bits, and a share of the directory comes on top. */
    long bitmapBytes(int granularityBits) {
        long bits = dividedUp(options.size(), 1L << granularityBits);
        long data = dividedUp(dividedUp(bits, 8), clusterSize);
        return (data + dividedUp(data * ENTRY_BYTES, clusterSize)) * clusterSize;
    }

    /** Rounds up to a multiple. */
    static long roundedUp(long number, long multiple) {
        return dividedUp(number, multiple) * multiple;
    }

    private static long dividedUp(long number, long by) {
        return number / by + (number % by == 0 ? 0 : 1);
    }
}
