package dev.qcow2.conformance.language;

import java.util.Locale;

/** What an L2 entry says of a guest cluster. */
public enum ClusterState {
    /** Nothing: the backing file decides (QC-L2-06). */
    UNALLOCATED,
    /** Reads as zero and has no host cluster (QC-L2-07). */
    ZERO_PLAIN,
    /** Reads as zero and keeps a host cluster (QC-L2-09). */
    ZERO_ALLOCATED,
    /** Has its bytes in a host cluster (QC-L2-04). */
    NORMAL;

    /**
     * Says whether an entry in this state names a host cluster.
     *
     * @return true for zero-allocated and normal
     */
    public boolean hasHostCluster() {
        return this == ZERO_ALLOCATED || this == NORMAL;
    }

    /**
     * Returns the word for scripts and reports.
     *
     * @return for instance {@code zero-plain}
     */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
