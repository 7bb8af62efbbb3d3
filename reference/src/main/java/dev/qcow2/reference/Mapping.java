package dev.qcow2.reference;

/**
 * Where a guest cluster is, as the tables said when they were read.
 *
 * @param guest the cluster
 * @param l1 the entry that leads to its L2 table
 * @param l2At host offset of its L2 entry; 0 if it has no L2 table
 * @param l2 its L2 entry; unallocated if it has no L2 table
 */
record Mapping(GuestCluster guest, L1Entry l1, long l2At, L2Entry l2) {

    L2Entry.Kind kind() {
        return l2.kind();
    }

    @Override
    public String toString() {
        return guest + ": " + l1 + "; " + l2;
    }
}
