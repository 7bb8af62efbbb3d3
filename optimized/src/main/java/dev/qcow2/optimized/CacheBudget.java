package dev.qcow2.optimized;

/**
 * How much memory the caches of one image may take. The images of a chain share a bounded total: each has half of what the
 * one above has, but never less than a few slices need.
 *
 * @param l2Bytes for slices of L2 tables
 * @param refcountBytes for slices of refcount blocks
 */
record CacheBudget(long l2Bytes, long refcountBytes) {

    private static final long L2_BYTES = 24L << 20;
    private static final long REFCOUNT_BYTES = 6L << 20;
    private static final long LEAST_BYTES = 64L << 10;

    static CacheBudget atDepth(int depth) {
        int shift = Math.min(depth, 20);
        return new CacheBudget(
                Math.max(LEAST_BYTES, L2_BYTES >> shift), Math.max(LEAST_BYTES, REFCOUNT_BYTES >> shift));
    }
}
