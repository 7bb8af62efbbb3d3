package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;

/**
 * Where compressed streams go: one directly behind the other, so that several share a host cluster, whose count is the
 * number of streams that touch it (QC-CMP-07, QC-CMP-08). A stream may go on in the next host cluster. Guarded by the image's metadata lock.
 *
 * <p>The cluster that the latest stream ended in stays open for the next one. It is closed when a checkpoint is about to
 * give back references to it: after that its space may be given to the host at any moment.
 */
final class PackSpace {

    private final RefcountStore refcounts;
    private final ClusterAllocator allocator;
    private final int clusterBits;

    /** The first free byte of the open cluster; 0 if none is open. */
    private long openAt;

    /** The first byte behind the open cluster. */
    private long openEnd;

    PackSpace(RefcountStore refcounts, ClusterAllocator allocator, int clusterBits) {
        this.refcounts = refcounts;
        this.allocator = allocator;
        this.clusterBits = clusterBits;
    }

    /**
     * Takes room for a stream that is shorter than a cluster, and counts it (QC-REF-13). The caller has seen to
     * {@link ClusterAllocator#hasRoomFor} one cluster.
     *
     * @return host offset
     */
    long reserve(int length) throws DiskException {
        if (openAt == 0 || !isContinued(length)) {
            openAt = allocator.allocate(1) << clusterBits;
            openEnd = openAt + (1L << clusterBits);
        }
        long offset = openAt;
        openAt = offset + length;
        if (openAt == openEnd) {
            openAt = 0;
        }
        return offset;
    }

    private boolean isContinued(int length) throws DiskException {
        long cluster = openAt >>> clusterBits;
        // QC-REF-11: with narrow counts few streams can share a cluster, with 1 bit none.
        if (refcounts.count(cluster) == refcounts.maximum()) {
            return false;
        }
        if (length > openEnd - openAt) {
            if (!allocator.takeIfFree(openEnd >>> clusterBits)) {
                return false;
            }
            openEnd += 1L << clusterBits;
        }
        refcounts.raise(cluster);
        return true;
    }

    /** Closes the open cluster if a reference to it is about to be given back. */
    void closeIfIn(PendingFrees frees) {
        if (openAt != 0 && frees.contains(openAt >>> clusterBits)) {
            close();
        }
    }

    /** Puts no further stream behind the latest one. */
    void close() {
        openAt = 0;
    }
}
