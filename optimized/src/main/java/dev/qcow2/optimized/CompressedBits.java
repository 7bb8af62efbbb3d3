package dev.qcow2.optimized;

/**
 * Compressed descriptors as bit functions: {@code 62 - (clusterBits - 8)} bits of host offset, and above them the number
 * of 512-byte sectors beyond the one in which the stream starts (QC-L2-12).
 */
final class CompressedBits {

    private static final int SECTOR_BITS = 9;
    private static final long SECTOR_MASK = (1L << SECTOR_BITS) - 1;

    private CompressedBits() {}

    private static int offsetBits(int clusterBits) {
        return 62 - (clusterBits - 8);
    }

    /** Where the stream starts: any byte of the file. */
    static long offset(long entry, int clusterBits) {
        return entry & ((1L << offsetBits(clusterBits)) - 1);
    }

    /** Bytes from the stream's first one to the end of its last sector: at most two clusters. */
    static int length(long entry, int clusterBits) {
        long descriptor = entry & ~(EntryBits.COPIED | EntryBits.COMPRESSED);
        long sectors = (descriptor >>> offsetBits(clusterBits)) + 1;
        return (int) ((sectors << SECTOR_BITS) - (offset(entry, clusterBits) & SECTOR_MASK));
    }

    /** The first host cluster that the stream touches. */
    static long firstCluster(long entry, int clusterBits) {
        return offset(entry, clusterBits) >>> clusterBits;
    }

    /** The last host cluster that the stream touches, up to the end of its last sector. */
    static long lastCluster(long entry, int clusterBits) {
        return (offset(entry, clusterBits) + length(entry, clusterBits) - 1) >>> clusterBits;
    }

    /** Whether a descriptor has room for an offset: with large clusters not for every one. */
    static boolean fits(long offset, int length, int clusterBits) {
        return offset + length <= 1L << Math.min(ClusterAllocator.HOST_OFFSET_BITS, offsetBits(clusterBits));
    }

    /** The entry of a stream. */
    static long entry(long offset, int length, int clusterBits) {
        long furtherSectors = ((offset + length - 1) >>> SECTOR_BITS) - (offset >>> SECTOR_BITS);
        return EntryBits.COMPRESSED | (furtherSectors << offsetBits(clusterBits)) | offset;
    }
}
