package dev.qcow2.reference;

/**
 * What follows from a few numbers of the header: how many of everything there are, and where an offset lies.
 *
 * @param clusterBits 9 to 21; a cluster has {@code 1 << clusterBits} bytes
 * @param refcountOrder 0 to 6; a count has {@code 1 << refcountOrder} bits
 * @param diskSize bytes that the guest sees, 0 or more
 * @param extendedL2 whether L2 entries are 128 bits wide and divide their cluster into 32 subclusters
 */
record Geometry(int clusterBits, int refcountOrder, long diskSize, boolean extendedL2) {

    /** Bytes of an entry of an L1 or refcount table, and of a standard L2 table. */
    static final int ENTRY_BYTES = 8;

    Geometry withDiskSize(long newSize) {
        return new Geometry(clusterBits, refcountOrder, newSize, extendedL2);
    }

    int clusterSize() {
        return 1 << clusterBits;
    }

    /** QC-HDR-20: extended entries are twice as wide. */
    int l2EntryBytes() {
        return extendedL2 ? 2 * ENTRY_BYTES : ENTRY_BYTES;
    }

    /** QC-L2-01: an L2 table is one cluster of entries. */
    int l2Entries() {
        return clusterSize() / l2EntryBytes();
    }

    int subclusterSize() {
        return clusterSize() / SubclusterBitmap.COUNT;
    }

    /** QC-REF-07: a refcount block is one cluster of counts. */
    int countsPerBlock() {
        return (clusterSize() * 8) >> refcountOrder;
    }

    /** QC-REF-11: the highest count that fits; a 64-bit count is used up to 2^63 - 1. */
    long highestCount() {
        return refcountOrder == 6 ? Long.MAX_VALUE : (1L << (1 << refcountOrder)) - 1;
    }

    /** Clusters that hold so many bytes; no overflow for any long. */
    long clustersFor(long bytes) {
        return bytes == 0 ? 0 : ((bytes - 1) >>> clusterBits) + 1;
    }

    /** L1 entries that the whole disk needs (QC-L1-06). */
    long l1EntriesNeeded() {
        long clusters = clustersFor(diskSize);
        return clusters == 0 ? 0 : (clusters - 1) / l2Entries() + 1;
    }

    GuestCluster guestCluster(long guestOffset) {
        return new GuestCluster(guestOffset >>> clusterBits);
    }

    long guestOffset(GuestCluster guest) {
        return guest.index() << clusterBits;
    }

    /** Guest bytes that all entries of an L1 table of this length map. */
    long mappedBy(long l1Entries) {
        return (l1Entries * l2Entries()) << clusterBits;
    }

    /**
     * Bytes of a guest cluster that belong to the disk: fewer than a cluster for the last one of an odd-sized disk. Those
     * behind the disk hold saved machine state, and are whole.
     */
    int lengthOf(GuestCluster guest) {
        long left = diskSize - guestOffset(guest);
        return left <= 0 ? clusterSize() : (int) Math.min(clusterSize(), left);
    }

    int offsetInCluster(long offset) {
        return (int) (offset & (clusterSize() - 1));
    }

    /** QC-L1-04: entry i of the L1 table maps the guest clusters from i * l2_entries. */
    int l1Index(GuestCluster guest) {
        return Math.toIntExact(guest.index() / l2Entries());
    }

    /** QC-L2-01: the entry inside the L2 table. */
    int l2Index(GuestCluster guest) {
        return (int) (guest.index() % l2Entries());
    }

    HostCluster hostCluster(long hostOffset) {
        return new HostCluster(hostOffset >>> clusterBits);
    }

    long hostOffset(HostCluster host) {
        return host.index() << clusterBits;
    }

    /** QC-REF-09: the block that counts a cluster. */
    long blockIndex(HostCluster host) {
        return host.index() / countsPerBlock();
    }

    /** QC-REF-09: the place of a cluster's count in its block. */
    int placeInBlock(HostCluster host) {
        return (int) (host.index() % countsPerBlock());
    }
}
