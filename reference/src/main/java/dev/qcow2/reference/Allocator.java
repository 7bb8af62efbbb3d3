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
    private long packingPlace;

    Allocator(Image image) {
        this.image = image;
    }

    /** Hears that a cluster became free. */
    void freed(HostCluster host) {
        noFreeBelow = Math.min(noFreeBelow, host.index());
        packingPlace = host.equals(image.geometry().hostCluster(packingPlace)) ? 0 : packingPlace;
    }

    /** Hears that somebody else allocated and freed. */
    void forget() {
        noFreeBelow = 0;
        packingPlace = 0;
    }

    /** Where the free bytes of the host cluster begin that was packed last; 0 if there is none, or if it became free. */
    long packingPlace() {
        return packingPlace;
    }

    void keepPackingPlace(long hostOffset) {
        packingPlace = hostOffset;
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
        long inFile = geometry.clustersFor(image.file().size());
        long length = 0;
        long missing = 0;
        boolean noneFree = true;
        Slice slice = sliceOf(new HostCluster(noFreeBelow));
        for (long index = noFreeBelow; ; index++) {
            HostCluster host = new HostCluster(index);
            slice = index < slice.end() ? slice : sliceOf(host);
            if (slice.count(host) != 0) {
                length = 0;
                missing = 0;
                requireBelievable(host, index - inFile);
                continue;
            }
            requireFree(host);
            noFreeBelow = noneFree ? index : noFreeBelow;
            noneFree = false;
            // A block is missing once: at the row's first cluster, or where the row enters its range.
            boolean entersBlock = length == 0 || geometry.placeInBlock(host) == 0;
            missing += entersBlock && !slice.present() ? 1 : 0;
            length++;
            if (length >= wanted + missing) {
                // QC-REF-03: a table that counts as free would be handed out and overwritten.
                new Occupants(image).requireNone(host.plus(1 - length), length);
                return new Run(host.plus(1 - length), wanted, missing);
            }
        }
    }

    /** A part of a refcount block; all zeros where the block is missing (QC-REF-06). */
    private record Slice(long start, int order, boolean present, ByteBuffer counts) {

        long end() {
            return start + ((SLICE_BYTES * 8) >> order);
        }

        long count(HostCluster host) {
            return Counts.get(counts, (int) (host.index() - start), order);
        }
    }

    private Slice sliceOf(HostCluster host) throws DiskException {
        Geometry geometry = image.geometry();
        int order = geometry.refcountOrder();
        long start = host.index() - host.index() % ((SLICE_BYTES * 8) >> order);
        RefcountTableEntry block = image.refcountTableEntry(geometry.blockIndex(host));
        if (!block.allocated()) {
            return new Slice(start, order, false, ByteBuffer.allocate(SLICE_BYTES));
        }
        int inBlock = Counts.byteOf(geometry.placeInBlock(new HostCluster(start)), order);
        return new Slice(start, order, true, image.read(block.blockOffset() + inBlock, SLICE_BYTES));
    }

    private void requireBelievable(HostCluster host, long pastEnd) throws DiskException {
        if (pastEnd > HIGHEST_USED_PAST_END) {
            long offset = image.geometry().hostOffset(host);
            String found = "counts of clusters far behind the end of the file";
            throw image.corrupt(RefcountClause.QC_REF_03, offset, found, "counts of clusters that are there");
        }
    }

    private void requireFree(HostCluster host) throws DiskException {
        long offset = image.geometry().hostOffset(host);
        if (offset >>> HOST_OFFSET_BITS != 0) {
            throw new RequestRefusedException(
                    image.file().name(), LimitClause.QC_LIM_06, "no free cluster below host offset 2^56");
        }
    }
}
