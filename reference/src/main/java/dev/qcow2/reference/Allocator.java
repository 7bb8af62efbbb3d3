package dev.qcow2.reference;

import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;

/**
 * Finds free host clusters: the first ones whose count is 0, in the order of the file. Takes nothing; a plan does that.
 */
final class Allocator {

    /** Counts are looked through in parts of this size, the smallest that a refcount block can have. */
    private static final int SLICE_BYTES = 512;

    /** How many used clusters past the end of the file are believed; a crash leaves few, a hostile table claims many. */
    private static final long HIGHEST_USED_PAST_END = 1 << 20;

    /** Host offsets that an L2 entry can hold (QC-LIM-06). */
    private static final int HOST_OFFSET_BITS = 56;

    /**
     * Free clusters in a row, of which the first ones are needed for the refcount blocks that the row lacks.
     *
     * @param first the first cluster
     * @param wanted how many were asked for
     * @param missingBlocks how many blocks must be added before the whole row can be counted
     */
    record Run(HostCluster first, long wanted, long missingBlocks) {

        /** All clusters of the row, those for the missing blocks included. */
        long length() {
            return wanted + missingBlocks;
        }
    }

    private final Image image;
    private long noFreeBelow;

    Allocator(Image image) {
        this.image = image;
    }

    /** Hears that a cluster became free. */
    void freed(HostCluster host) {
        noFreeBelow = Math.min(noFreeBelow, host.index());
    }

    /** Finds a row of free clusters that the refcount blocks can count as they are. */
    HostCluster findCountable(long wanted) throws DiskException {
        Run run = find(wanted);
        if (run.missingBlocks() != 0) {
            throw new IllegalStateException("refcount blocks were not prepared");
        }
        return run.first();
    }

    /** Finds the first row of free clusters, with room for the refcount blocks that it lacks (QC-REF-10). */
    Run find(long wanted) throws DiskException {
        Geometry geometry = image.geometry();
        int order = geometry.refcountOrder();
        int perSlice = (SLICE_BYTES * 8) >> order;
        long inFile = geometry.clustersFor(image.file().size());
        long firstFree = -1;
        long length = 0;
        long missing = 0;
        long index = noFreeBelow;
        while (true) {
            HostCluster host = new HostCluster(index);
            RefcountTableEntry block = image.refcountTableEntry(geometry.blockIndex(host));
            int inSlice = (int) (index % perSlice);
            int sliceStart = Counts.byteOf(geometry.placeInBlock(host) - inSlice, order);
            ByteBuffer counts = block.allocated()
                    ? image.read(block.blockOffset() + sliceStart, SLICE_BYTES)
                    : ByteBuffer.allocate(SLICE_BYTES);
            for (; inSlice < perSlice; inSlice++, index++) {
                if (Counts.get(counts, inSlice, order) != 0) {
                    length = 0;
                    missing = 0;
                    requireBelievable(index - inFile, block);
                    continue;
                }
                requireFree(new HostCluster(index));
                firstFree = firstFree < 0 ? index : firstFree;
                // A block is missing once: at the row's first cluster, or where the row enters its range.
                boolean entersBlock = length == 0 || index % geometry.countsPerBlock() == 0;
                missing += !block.allocated() && entersBlock ? 1 : 0;
                length++;
                if (length >= wanted + missing) {
                    noFreeBelow = firstFree;
                    return new Run(new HostCluster(index - length + 1), wanted, missing);
                }
            }
        }
    }

    private void requireBelievable(long pastEnd, RefcountTableEntry block) throws DiskException {
        if (pastEnd > HIGHEST_USED_PAST_END) {
            throw image.corrupt(
                    RefcountClause.QC_REF_03,
                    block.blockOffset(),
                    "counts of clusters far behind the end of the file",
                    "counts of clusters that are there");
        }
    }

    private void requireFree(HostCluster host) throws DiskException {
        long offset = image.geometry().hostOffset(host);
        if (offset >>> HOST_OFFSET_BITS != 0) {
            throw new RequestRefusedException(
                    image.file().name(), LimitClause.QC_LIM_06, "no free cluster below host offset 2^56");
        }
        // QC-REF-03: a table that counts as free would be handed out and overwritten.
        if (offset == 0 || image.header().inL1Table(offset) || image.header().inRefcountTable(offset)) {
            throw image.corrupt(RefcountClause.QC_REF_03, offset, "count 0 of a table's cluster", "1");
        }
    }
}
