package dev.qcow2.reference;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;

/**
 * An entry of the refcount table.
 *
 * <pre>
 * bits    field                                                                 clause
 *  0- 8   reserved, zero; there is no COPIED flag here                          QC-REF-05
 *  9-63   offset of a refcount block, a multiple of the cluster size, or 0      QC-REF-04, QC-REF-06
 * </pre>
 *
 * @param blockOffset host offset of the block; 0 means that all counts it would hold are 0
 */
record RefcountTableEntry(long blockOffset) {

    static final RefcountTableEntry NONE = new RefcountTableEntry(0);

    private static final long RESERVED = 0x1ff;

    /** Decodes an entry that stands at a host offset of the image. */
    static RefcountTableEntry parse(Image image, long at, long bits) throws DiskException {
        if ((bits & RESERVED) != 0) {
            throw image.corrupt(RefcountClause.QC_REF_05, at, bits, "reserved bits of zero");
        }
        if (bits != 0) {
            image.requireClusterStart(bits, RefcountClause.QC_REF_04, RefcountClause.QC_REF_04, at);
        }
        return new RefcountTableEntry(bits);
    }

    boolean allocated() {
        return blockOffset != 0;
    }
}
