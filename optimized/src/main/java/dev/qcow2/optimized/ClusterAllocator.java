package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_06;
import static dev.qcow2.spec.clause.RefcountClause.QC_REF_03;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * Hands out host clusters. A cluster is free exactly when its count is 0; the first free one is found by a cursor that
 * only moves back when a cluster below it is freed. Guarded by the image's metadata lock.
 */
final class ClusterAllocator {

    /** Host offsets in entries have 56 bits (QC-LIM-06). */
    static final int HOST_OFFSET_BITS = 56;

    private final HostFile host;
    private final RefcountStore refcounts;
    private final StructureMap structures;
    private final HostSpace space;
    private final GrowthAhead ahead;
    private final int clusterBits;
    private long cursor = 1;
    private int runLength;

    ClusterAllocator(
            HostFile host, RefcountStore refcounts, StructureMap structures, HostSpace space, GrowthAhead ahead) {
        this.host = host;
        this.refcounts = refcounts;
        this.space = space;
        this.ahead = ahead;
        this.clusterBits = refcounts.clusterBits();
        this.structures = structures;
    }

    /** What the clusters that are handed out are not. */
    StructureMap structures() {
        return structures;
    }

    /** Says whether so many clusters can be allocated without a longer refcount table, whatever is free. */
    boolean hasRoomFor(long clusters) {
        long withBlocks = clusters + 2 * (clusters >>> refcounts.blockBits()) + 4;
        return space.usedClusters() + withBlocks <= refcounts.capacity();
    }

    /**
     * Takes contiguous clusters, at least one and at most so many; {@link #runLength()} says how many. Their counts are
     * 1 from now on. The caller has seen to {@link #hasRoomFor}.
     *
     * @return the first cluster
     */
    long allocate(int atMost) throws DiskException {
        long first = nextFree();
        long usedBefore = space.usedClusters();
        int length = 1;
        while (length < atMost && isFree(first + length)) {
            length++;
        }
        requireNotReserved(first, length);
        for (long cluster = first; cluster < first + length; cluster++) {
            refcounts.set(cluster, 1);
        }
        runLength = length;
        cursor = first + length;
        space.use(first, length);
        ahead.cover(usedBefore);
        return first;
    }

    /** The number of clusters that the latest call of {@link #allocate} took. */
    int runLength() {
        return runLength;
    }

    /** Takes one certain cluster, if it is free; its count is 1 then. The caller has seen to {@link #hasRoomFor}. */
    boolean takeIfFree(long cluster) throws DiskException {
        if (!isFree(cluster)) {
            return false;
        }
        requireNotReserved(cluster, 1);
        refcounts.set(cluster, 1);
        space.use(cluster, 1);
        return true;
    }

    /** Takes clusters for a table that must be contiguous, behind everything else. */
    long allocateContiguous(long clusters) throws DiskException {
        long first = Math.max(space.usedClusters(), 1);
        boolean settled = false;
        while (!settled) {
            // A power cut may leave counts past the file's end, and a reference may lie there: such clusters are passed
            // over.
            long taken = lastTaken(first, clusters);
            if (taken >= first) {
                first = taken + 1;
            } else if (addMissingBlock(first, clusters)) {
                first = Math.max(first, space.usedClusters());
            } else {
                settled = true;
            }
        }
        requireNotReserved(first, clusters);
        for (long cluster = first; cluster < first + clusters; cluster++) {
            refcounts.setUntold(cluster, 1);
        }
        space.use(first, clusters);
        return first;
    }

    /** Gives back clusters that no entry ever named. */
    void release(long first, int length) throws DiskException {
        for (long cluster = first; cluster < first + length; cluster++) {
            refcounts.lower(cluster);
        }
        cursor = Math.min(cursor, first);
    }

    /** Lowers a count; the flush that dropped the reference is over (QC-REF-14, QC-REF-15). */
    void lower(long cluster) throws DiskException {
        if (refcounts.count(cluster) == 1) {
            structures.requireNone(cluster, 1);
        }
        refcounts.lower(cluster);
        if (refcounts.count(cluster) == 0) {
            cursor = Math.min(cursor, cluster);
        }
    }

    /** Makes a new metadata cluster read as zero, and inside the file to its last byte. */
    void clear(long cluster, long count) throws DiskException {
        long offset = cluster << clusterBits;
        long length = count << clusterBits;
        if (host.zero(offset, length)) {
            return;
        }
        ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(length, 1 << 16));
        for (long done = 0; done < length; done += zeros.capacity()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), length - done));
            host.write(offset + done, zeros);
        }
    }

    private boolean isFree(long cluster) throws DiskException {
        return refcounts.hasBlock(cluster) && refcounts.count(cluster) == 0;
    }

    private long nextFree() throws DiskException {
        for (long cluster = cursor; cluster < refcounts.capacity(); cluster++) {
            if (!refcounts.hasBlock(cluster)) {
                // The block lies in the range that it counts, so it needs no other block to be counted (QC-REF-10).
                addBlock(cluster >>> refcounts.blockBits(), cluster);
            } else if (refcounts.count(cluster) == 0) {
                return cluster;
            }
            cursor = cluster + 1;
        }
        throw new CorruptImageException(
                host.name(), QC_REF_03, refcounts.table().hostOffset(), "clusters counted past the file's end", "none");
    }

    private boolean addMissingBlock(long first, long clusters) throws DiskException {
        long step = 1L << refcounts.blockBits();
        for (long at = first; at < first + clusters - 1 + step; at += step) {
            long cluster = Math.min(at, first + clusters - 1);
            if (!refcounts.hasBlock(cluster)) {
                // In ascending order, so the block that counts the first cluster is there before it is needed.
                addBlock(cluster >>> refcounts.blockBits(), first);
                return true;
            }
        }
        return false;
    }

    private void addBlock(long index, long cluster) throws DiskException {
        requireNotReserved(cluster, 1);
        clear(cluster, 1);
        space.use(cluster, 1);
        refcounts.addBlock(index, cluster);
        refcounts.setUntold(cluster, 1);
    }

    /** Returns the last cluster of a range that has a count above 0, or -1. */
    private long lastTaken(long first, long clusters) throws DiskException {
        for (long cluster = first + clusters - 1; cluster >= first; cluster--) {
            if (refcounts.hasBlock(cluster) && refcounts.count(cluster) != 0) {
                return cluster;
            }
        }
        return -1;
    }

    private void requireNotReserved(long first, long count) throws DiskException {
        if (first + count > 1L << (HOST_OFFSET_BITS - clusterBits)) {
            throw new RequestRefusedException(
                    host.name(), QC_LIM_06, "the file would grow beyond 2^" + HOST_OFFSET_BITS + " bytes");
        }
        // A wrong count of 0 must not make us write over the tables.
        structures.requireNone(first, count);
    }
}
