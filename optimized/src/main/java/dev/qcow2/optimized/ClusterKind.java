package dev.qcow2.optimized;

/** What an L2 entry says about its guest cluster. */
enum ClusterKind {
    /** Nothing here; the backing file decides (QC-L2-10). */
    UNALLOCATED,
    /** Reads as zero and has no host cluster (QC-L2-07). */
    ZERO_PLAIN,
    /** Reads as zero and keeps a host cluster whose bytes are never shown (QC-L2-09). */
    ZERO_ALLOCATED,
    /** The bytes are in a host cluster. */
    NORMAL,
    /** The bytes are in a deflated stream (QC-L2-12). */
    COMPRESSED
}
