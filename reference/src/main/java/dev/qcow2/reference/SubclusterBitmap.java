package dev.qcow2.reference;

import dev.qcow2.spec.clause.SubclusterClause;
import dev.qcow2.spec.disk.DiskException;

/**
 * The second half of an extended L2 entry: what each of the 32 subclusters is. The first one has the least significant bit
 * of each half.
 *
 * <pre>
 * bits    field                                                                   clause
 *  0-31   allocated: the subcluster's bytes are those of the host cluster         QC-SUB-03
 * 32-63   zero: the subcluster reads as zeros                                     QC-SUB-04
 *
 * bits of a subcluster    with a host cluster    without
 * neither                 unallocated            unallocated
 * allocated               normal                 broken
 * zero                    zero-allocated         zero-plain
 * both                    broken                 broken
 * </pre>
 *
 * <p>Beside a compressed descriptor the whole bitmap is 0.
 *
 * @param bits as they stand in the image
 */
record SubclusterBitmap(long bits) {

    /** Subclusters of a cluster. */
    static final int COUNT = 32;

    private static final long ALL = 0xffff_ffffL;

    /** Decodes the bitmap whose entry stands at a host offset of the image. */
    static SubclusterBitmap parse(Image image, long at, long bits, L2Entry entry) throws DiskException {
        SubclusterBitmap bitmap = new SubclusterBitmap(bits);
        if ((bitmap.allocated() & bitmap.zero()) != 0) {
            throw image.corrupt(SubclusterClause.QC_SUB_06, at, bits, "no subcluster both allocated and zero");
        }
        if (bitmap.allocated() != 0 && !entry.hasHostCluster()) {
            throw image.corrupt(SubclusterClause.QC_SUB_07, at, bits, "no subcluster allocated without a host cluster");
        }
        if (bits != 0 && entry.kind() == L2Entry.Kind.COMPRESSED) {
            throw image.corrupt(SubclusterClause.QC_SUB_08, at, bits, "no subclusters of compressed data");
        }
        return bitmap;
    }

    /** The bitmap of a cluster whose subclusters are all the same. */
    static SubclusterBitmap of(L2Entry.Kind kind) {
        return switch (kind) {
            case UNALLOCATED, COMPRESSED -> new SubclusterBitmap(0);
            case ZERO_PLAIN, ZERO_ALLOCATED -> new SubclusterBitmap(ALL << COUNT);
            case NORMAL -> new SubclusterBitmap(ALL);
            case MIXED -> throw new IllegalArgumentException("a mixed cluster has a bitmap of its own");
        };
    }

    private long allocated() {
        return bits & ALL;
    }

    private long zero() {
        return bits >>> COUNT;
    }

    /** What the whole cluster is. One that has a host cluster and uses nothing of it is mixed, too. */
    L2Entry.Kind kind(boolean hasHostCluster) {
        if (zero() == ALL) {
            return hasHostCluster ? L2Entry.Kind.ZERO_ALLOCATED : L2Entry.Kind.ZERO_PLAIN;
        }
        if (allocated() == ALL) {
            return L2Entry.Kind.NORMAL;
        }
        return bits == 0 && !hasHostCluster ? L2Entry.Kind.UNALLOCATED : L2Entry.Kind.MIXED;
    }

    /** What one subcluster is; of zeros it does not matter whether a host cluster stands behind them. */
    L2Entry.Kind kindOf(int subcluster) {
        long bit = 1L << subcluster;
        if ((zero() & bit) != 0) {
            return L2Entry.Kind.ZERO_PLAIN;
        }
        return (allocated() & bit) != 0 ? L2Entry.Kind.NORMAL : L2Entry.Kind.UNALLOCATED;
    }

    /** Makes subclusters normal. */
    SubclusterBitmap withAllocated(int from, int to) {
        long range = range(from, to);
        return new SubclusterBitmap((bits | range) & ~(range << COUNT));
    }

    /** Makes subclusters read as zero. */
    SubclusterBitmap withZero(int from, int to) {
        long range = range(from, to);
        return new SubclusterBitmap((bits | range << COUNT) & ~range);
    }

    private static long range(int from, int to) {
        return (1L << to) - (1L << from);
    }

    @Override
    public String toString() {
        return String.format("subclusters allocated %08x, zero %08x", allocated(), zero());
    }
}
