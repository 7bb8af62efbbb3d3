package dev.qcow2.reference;

import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.disk.DiskException;

/**
 * An entry of a bitmap table: one cluster of bits, the lowest bit of its first byte for the lowest guest offset.
 *
 * <pre>
 * bits    field                                                              clause
 *     0   without an offset: all bits of the cluster are 1; else zero        QC-EXT-11
 *  1- 8   reserved, zero
 *  9-55   offset of a cluster with the bits, a multiple of the cluster size, or 0
 * 56-63   reserved, zero
 * </pre>
 *
 * @param dataOffset host offset of the bits, or 0
 * @param allOnes what the bits are if there is no offset
 */
record BitmapTableEntry(long dataOffset, boolean allOnes) {

    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

    /** Decodes an entry that stands at a host offset. */
    static BitmapTableEntry parse(Image image, long at, long bits) throws DiskException {
        long offset = bits & OFFSET;
        long allowed = offset == 0 ? 1 : OFFSET;
        boolean fits = (bits & ~allowed) == 0
                && image.geometry().offsetInCluster(offset) == 0
                && offset < image.file().size();
        BitmapsExtension.require(image, ExtensionClause.QC_EXT_11, fits, at, bits, "0, 1 or a cluster of the file");
        return new BitmapTableEntry(offset, bits == 1);
    }

    long encode() {
        return dataOffset | (allOnes ? 1 : 0);
    }
}
