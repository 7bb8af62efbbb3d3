package dev.qcow2.optimized;

/**
 * How far the image's file was ever used. What lies beyond reads as zero with no call at all, because no byte of it was
 * ever written. Guarded by the image's metadata lock.
 */
final class HostSpace {

    private final int clusterBits;
    private long usedClusters;

    HostSpace(int clusterBits, long fileSize) {
        this.clusterBits = clusterBits;
        this.usedClusters = (fileSize + (1L << clusterBits) - 1) >>> clusterBits;
    }

    /** The first cluster that never held anything, nor any after it. */
    long usedClusters() {
        return usedClusters;
    }

    void use(long firstCluster, long count) {
        usedClusters = Math.max(usedClusters, firstCluster + count);
    }

    /** QC-L2-14: whether a cluster that an entry names can be one of this file. The header's is none (QC-REF-16). */
    boolean mayBeNamed(long hostOffset) {
        return hostOffset >= 1L << clusterBits && hostOffset >>> clusterBits < usedClusters;
    }
}
