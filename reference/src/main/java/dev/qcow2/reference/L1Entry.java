package dev.qcow2.reference;

import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.DiskException;

/**
 * An entry of an L1 table.
 *
 * <pre>
 * bits    field                                                           clause
 *  0- 8   reserved, zero                                                  QC-L1-02
 *  9-55   offset of an L2 table, a multiple of the cluster size, or 0     QC-L1-01
 * 56-62   reserved, zero                                                  QC-L1-02
 *    63   COPIED: the table's count is 1; true in the active table only   QC-L1-03
 * </pre>
 *
 * @param l2Offset host offset of the L2 table; 0 means that its whole range is unallocated
 * @param copied whether the COPIED flag stands there; never trusted, the count itself is read
 */
record L1Entry(long l2Offset, boolean copied) {

    static final L1Entry UNALLOCATED = new L1Entry(0, false);

    private static final long COPIED = 1L << 63;
    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

    /** Decodes an entry that stands at a host offset of the image. */
    static L1Entry parse(Image image, long at, long bits) throws DiskException {
        if ((bits & ~(COPIED | OFFSET)) != 0) {
            throw image.corrupt(MappingClause.QC_L1_02, at, bits, "reserved bits of zero");
        }
        long offset = bits & OFFSET;
        if (offset != 0) {
            image.requireClusterStart(offset, MappingClause.QC_L1_01, MappingClause.QC_L2_14, at);
        }
        // A table may have millions of empty entries: they are one object.
        return bits == 0 ? UNALLOCATED : new L1Entry(offset, (bits & COPIED) != 0);
    }

    long encode() {
        return l2Offset | (copied ? COPIED : 0);
    }

    boolean allocated() {
        return l2Offset != 0;
    }

    @Override
    public String toString() {
        return allocated() ? "L2 table at " + l2Offset + (copied ? ", COPIED" : "") : "no L2 table";
    }
}
