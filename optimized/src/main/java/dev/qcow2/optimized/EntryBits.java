package dev.qcow2.optimized;

/** Entries of the L1, L2 and refcount tables as bit functions on {@code long}: nothing is allocated to look at one. */
final class EntryBits {

    /** Bit 63: the reference count of the named cluster is 1 (QC-L1-03, QC-L2-03). */
    static final long COPIED = 1L << 63;

    /** Bit 62 of an L2 entry: a compressed descriptor (QC-L2-02). */
    static final long COMPRESSED = 1L << 62;

    /** Bit 0 of a standard L2 entry: reads as zero (QC-L2-07). */
    static final long ZERO = 1L;

    private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
    private static final long L1_RESERVED = 0x7f00_0000_0000_01ffL;
    private static final long L2_RESERVED = 0x3f00_0000_0000_01feL;
    private static final long REFCOUNT_TABLE_RESERVED = 0x1ffL;

    private EntryBits() {}

    /** The host offset of an L1 entry or of a standard L2 entry (QC-L1-01, QC-L2-04). */
    static long offset(long entry) {
        return entry & OFFSET_MASK;
    }

    static boolean copied(long entry) {
        return (entry & COPIED) != 0;
    }

    static boolean l1ReservedSet(long entry) {
        // QC-L1-02
        return (entry & L1_RESERVED) != 0;
    }

    static boolean l2ReservedSet(long entry) {
        // QC-L2-05; the bits mean something else in a compressed descriptor, QC-L2-02.
        return (entry & COMPRESSED) == 0 && (entry & L2_RESERVED) != 0;
    }

    static boolean refcountTableReservedSet(long entry) {
        // QC-REF-05
        return (entry & REFCOUNT_TABLE_RESERVED) != 0;
    }

    /**
     * An entry without COPIED where it has no meaning: without a host cluster, unless that is the place 0 of a data file
     * (QC-L2-15). The functions below take it that COPIED has its meaning.
     */
    static long meant(long l2Entry, boolean dataFile) {
        return offset(l2Entry) == 0 && !dataFile ? l2Entry & ~COPIED : l2Entry;
    }

    static ClusterKind kind(long l2Entry) {
        // QC-L2-02: bit 62 first, for in a compressed descriptor bit 0 belongs to the address.
        if ((l2Entry & COMPRESSED) != 0) {
            return ClusterKind.COMPRESSED;
        }
        boolean allocated = (l2Entry & (OFFSET_MASK | COPIED)) != 0;
        if ((l2Entry & ZERO) != 0) {
            return allocated ? ClusterKind.ZERO_ALLOCATED : ClusterKind.ZERO_PLAIN;
        }
        return allocated ? ClusterKind.NORMAL : ClusterKind.UNALLOCATED;
    }

    /** An entry that owns its host cluster and shows it. */
    static long normal(long hostOffset) {
        return hostOffset | COPIED;
    }

    /** An entry that is the only one to name the host cluster that it shows or hides. */
    static boolean ownsCluster(long l2Entry) {
        return (l2Entry & (COPIED | COMPRESSED)) == COPIED;
    }

    /** An entry that may be written in place: it shows its host cluster and is the only one that does (QC-REF-02). */
    static boolean writableInPlace(long l2Entry) {
        return (l2Entry & (COPIED | COMPRESSED | ZERO)) == COPIED;
    }

    /** A zero entry that is the only owner of the host cluster that it keeps. */
    static boolean ownsHiddenCluster(long l2Entry) {
        return (l2Entry & (COPIED | COMPRESSED | ZERO)) == (COPIED | ZERO);
    }
}
