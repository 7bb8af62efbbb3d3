package dev.qcow2.conformance.language;

import java.util.Locale;

/** What an L2 entry says of a guest cluster, or of a subcluster of it. */
public enum ClusterState {
    /** Nothing: the backing file decides (QC-L2-06). */
    UNALLOCATED,
    /** Reads as zero and has no host cluster (QC-L2-07). */
    ZERO_PLAIN,
    /** Reads as zero and keeps a host cluster (QC-L2-09). */
    ZERO_ALLOCATED,
    /** Has its bytes in a host cluster (QC-L2-04). */
    NORMAL,
    /** Has its bytes in compressed form (QC-CMP-04). */
    COMPRESSED,
    /** The backing file decides, though there is a host cluster: with subclusters only (QC-SUB-05). */
    RESERVED,
    /** Subclusters are unallocated or zero, in turn, and there is no host cluster: no state of a subcluster itself. */
    MIXED_PLAIN,
    /** Subclusters are unallocated, zero or normal, in turn: no state of a subcluster itself. */
    MIXED;

    /**
     * Says whether an entry in this state names a host cluster of its own.
     *
     * @return true for all but unallocated, zero-plain, compressed and mixed-plain
     */
    public boolean hasHostCluster() {
        return switch (this) {
            case ZERO_ALLOCATED, NORMAL, RESERVED, MIXED -> true;
            case UNALLOCATED, ZERO_PLAIN, COMPRESSED, MIXED_PLAIN -> false;
        };
    }

    /**
     * Says whether only images with extended L2 entries have clusters in this state.
     *
     * @return true for reserved and the mixed states
     */
    public boolean needsSubclusters() {
        return this == RESERVED || this == MIXED_PLAIN || this == MIXED;
    }

    /**
     * Returns the state of a subcluster of a cluster in this state. Neighbours in a mixed cluster differ, most
     * of them.
     *
     * @param index 0 to 31
     * @param turn any number; shifts the states of a mixed cluster
     * @return neither of the mixed states
     */
    public ClusterState ofSubcluster(int index, int turn) {
        int place = Math.floorMod(index + index / 5 + turn, 3);
        return switch (this) {
            case MIXED -> place == 0 ? NORMAL : place == 1 ? RESERVED : ZERO_ALLOCATED;
            case MIXED_PLAIN -> place == 0 ? UNALLOCATED : ZERO_PLAIN;
            case UNALLOCATED, ZERO_PLAIN, ZERO_ALLOCATED, NORMAL, COMPRESSED, RESERVED -> this;
        };
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
