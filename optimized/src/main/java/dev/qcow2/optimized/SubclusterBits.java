package dev.qcow2.optimized;

/**
 * The second word of an extended L2 entry as bit functions (QC-SUB-02): bit i says that subcluster i is allocated
 * (QC-SUB-03), bit 32 + i that it reads as zero (QC-SUB-04). A subcluster with neither bit shows what lies below
 * (QC-SUB-05).
 */
final class SubclusterBits {

    /** There are 32 subclusters in a cluster. */
    static final int SUBCLUSTER_BITS = 5;

    private static final int COUNT = 1 << SUBCLUSTER_BITS;
    private static final long LOW = 0xffff_ffffL;

    /** All subclusters are allocated. */
    static final long ALL_ALLOCATED = LOW;

    /** All subclusters read as zero. */
    static final long ALL_ZERO = LOW << COUNT;

    private SubclusterBits() {}

    /** A mask of subclusters. */
    static int mask(int first, int end) {
        return (int) (((1L << (end - first)) - 1) << first);
    }

    static int allocated(long bitmap) {
        return (int) bitmap;
    }

    static int zero(long bitmap) {
        return (int) (bitmap >>> COUNT);
    }

    /** A bitmap in which some subclusters have become allocated; none of them reads as zero by its bit any more. */
    static long allocate(long bitmap, int mask) {
        long low = mask & LOW;
        return (bitmap | low) & ~(low << COUNT);
    }

    /** QC-SUB-13: a bitmap in which some subclusters have come to read as zero, and are allocated no more. */
    static long zeroed(long bitmap, int mask) {
        long low = mask & LOW;
        return (bitmap | (low << COUNT)) & ~low;
    }

    /** QC-SUB-06: a subcluster can't both be allocated and read as zero. */
    static boolean contradicts(long bitmap) {
        return (allocated(bitmap) & zero(bitmap)) != 0;
    }

    /** What the entry of a cluster says about one subcluster. */
    static ClusterKind kind(long entry, long bitmap, int subcluster) {
        if ((entry & EntryBits.COMPRESSED) != 0) {
            return ClusterKind.COMPRESSED;
        }
        if ((bitmap >>> subcluster & 1) != 0) {
            return ClusterKind.NORMAL;
        }
        if ((bitmap >>> (COUNT + subcluster) & 1) != 0) {
            return EntryBits.offset(entry) != 0 ? ClusterKind.ZERO_ALLOCATED : ClusterKind.ZERO_PLAIN;
        }
        return ClusterKind.UNALLOCATED;
    }

    /** How many subclusters from one on have its kind. */
    static int runLength(long entry, long bitmap, int subcluster) {
        int alike =
                switch (kind(entry, bitmap, subcluster)) {
                    case COMPRESSED -> -1;
                    case NORMAL -> allocated(bitmap);
                    case ZERO_PLAIN, ZERO_ALLOCATED -> zero(bitmap);
                    case UNALLOCATED -> ~(allocated(bitmap) | zero(bitmap));
                };
        return Math.min(COUNT - subcluster, Integer.numberOfTrailingZeros(~(alike >>> subcluster)));
    }
}
