package dev.qcow2.optimized;

/**
 * The switches of this implementation, one for each optimisation. With all of them off it works as
 * a plain one does: whole clusters are copied, metadata is written through, one request at a time.
 *
 * @param skipCopyOnWrite surroundings that read as zero are not copied ({@link CopyOnWriteDecision})
 * @param mergeCopyWithPayload what must be copied is written together with the payload, in one host write
 * @param reuseZeroAllocated a write into a zero cluster uses the host cluster that it keeps
 * @param metadataCache L2 entries and reference counts stay in memory until a flush ({@link Checkpoint})
 * @param runAllocation a large write gets contiguous host clusters and one host write for all of them
 * @param runReads contiguous clusters are read with one host read
 * @param concurrentRequests requests on different ranges run at the same time ({@link InFlightRequests})
 * @param growAhead the host file is made longer in large steps, before its end is written ({@link GrowthAhead})
 * @param lazyRefcounts in images that permit it, counts stay in memory until the disk is closed ({@link LazyRefcounts})
 * @param cacheDecompressed the latest decompressed clusters are kept ({@link ClusterCache})
 * @param subclusterWrites with extended L2 entries, only the subclusters that a write touches are made ({@link SubclusterMap})
 */
public record OptimizedOptions(
        boolean skipCopyOnWrite,
        boolean mergeCopyWithPayload,
        boolean reuseZeroAllocated,
        boolean metadataCache,
        boolean runAllocation,
        boolean runReads,
        boolean concurrentRequests,
        boolean growAhead,
        boolean lazyRefcounts,
        boolean cacheDecompressed,
        boolean subclusterWrites) {

    /** The number of switches. */
    public static final int SWITCHES = 11;

    /**
     * Turns every optimisation on.
     *
     * @return the options that a user gets
     */
    public static OptimizedOptions allOn() {
        return of((1 << SWITCHES) - 1);
    }

    /**
     * Turns every optimisation off.
     *
     * @return the options that behave as a plain implementation
     */
    public static OptimizedOptions allOff() {
        return of(0);
    }

    /**
     * Makes options from a set of bits, so that tests can walk the lattice.
     *
     * @param bits bit i turns the i-th component on
     * @return options
     */
    public static OptimizedOptions of(int bits) {
        return new OptimizedOptions(
                (bits & 1) != 0,
                (bits & 2) != 0,
                (bits & 4) != 0,
                (bits & 8) != 0,
                (bits & 16) != 0,
                (bits & 32) != 0,
                (bits & 64) != 0,
                (bits & 128) != 0,
                (bits & 256) != 0,
                (bits & 512) != 0,
                (bits & 1024) != 0);
    }

    /**
     * Returns the set of bits that {@link #of} takes.
     *
     * @return bit i tells the i-th component
     */
    public int bits() {
        return (skipCopyOnWrite ? 1 : 0)
                | (mergeCopyWithPayload ? 2 : 0)
                | (reuseZeroAllocated ? 4 : 0)
                | (metadataCache ? 8 : 0)
                | (runAllocation ? 16 : 0)
                | (runReads ? 32 : 0)
                | (concurrentRequests ? 64 : 0)
                | (growAhead ? 128 : 0)
                | (lazyRefcounts ? 256 : 0)
                | (cacheDecompressed ? 512 : 0)
                | (subclusterWrites ? 1024 : 0);
    }

    /**
     * Sets whether surroundings that read as zero are left out of the copy.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withSkipCopyOnWrite(boolean on) {
        return with(1, on);
    }

    /**
     * Sets whether copy and payload go into one host write.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withMergeCopyWithPayload(boolean on) {
        return with(2, on);
    }

    /**
     * Sets whether a zero-allocated cluster keeps its host cluster when it is written.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withReuseZeroAllocated(boolean on) {
        return with(4, on);
    }

    /**
     * Sets whether metadata stays in memory between flushes.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withMetadataCache(boolean on) {
        return with(8, on);
    }

    /**
     * Sets whether large writes get contiguous clusters.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withRunAllocation(boolean on) {
        return with(16, on);
    }

    /**
     * Sets whether contiguous clusters are read at once.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withRunReads(boolean on) {
        return with(32, on);
    }

    /**
     * Sets whether requests on different ranges run at the same time.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withConcurrentRequests(boolean on) {
        return with(64, on);
    }

    /**
     * Sets whether the host file grows before it is written.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withGrowAhead(boolean on) {
        return with(128, on);
    }

    /**
     * Sets whether counts stay in memory until the disk is closed, in images that permit it.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withLazyRefcounts(boolean on) {
        return with(256, on);
    }

    /**
     * Sets whether the latest decompressed clusters are kept.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withCacheDecompressed(boolean on) {
        return with(512, on);
    }

    /**
     * Sets whether a write makes only the subclusters that it touches.
     *
     * @param on the switch
     * @return a copy
     */
    public OptimizedOptions withSubclusterWrites(boolean on) {
        return with(1024, on);
    }

    private OptimizedOptions with(int bit, boolean on) {
        return of(on ? bits() | bit : bits() & ~bit);
    }
}
