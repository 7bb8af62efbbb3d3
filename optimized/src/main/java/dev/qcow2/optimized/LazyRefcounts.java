package dev.qcow2.optimized;

/**
 * Decides whether reference counts may stay in memory when a checkpoint brings everything else to the disk (QC-HDR-22).
 * An image that is marked dirty is repaired before anybody writes to it again, and the repair counts anew; so while the
 * mark is on the disk, counts need not be there. What may not be left out is the flush between a guest's data and the
 * entry that names it: no repair brings back bytes that never were on the disk.
 */
final class LazyRefcounts {

    private final boolean allowed;

    LazyRefcounts(ImageHeader header, OptimizedOptions options) {
        this.allowed = options.lazyRefcounts()
                && header.version() >= 3
                && (header.compatible() & ImageHeader.LAZY_REFCOUNTS) != 0;
    }

    /** Says whether a checkpoint may leave the counts out; the metadata lock is held. */
    boolean postpones(RefcountStore refcounts) {
        // Dirty blocks can't be evicted, so they are written when they would fill the memory.
        return allowed && !refcounts.blocks().wantsCheckpoint();
    }
}
