package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import java.nio.ByteBuffer;

/**
 * The data of the bitmaps extension (0x23852875): where the bitmap directory is. It counts only while autoclear bit 0 is
 * set; without the bit a writer that knows no bitmaps was here, and what the extension names is stale (QC-EXT-11).
 *
 * <pre>
 * offset size field                     allowed                          clause
 *      0    4 nb_bitmaps                1 to 65535                       QC-EXT-11
 *      4    4 reserved                  0
 *      8    8 bitmap_directory_size     up to 64 MiB
 *     16    8 bitmap_directory_offset   a multiple of the cluster size
 * </pre>
 *
 * @param count bitmaps
 * @param directoryBytes length of the directory, with the padding of its entries
 * @param directoryOffset host offset of the directory
 */
record BitmapsExtension(int count, long directoryBytes, long directoryOffset) {

    static final int TYPE = 0x23852875;
    static final long AUTOCLEAR_BIT = 1;
    static final int LENGTH = 24;
    static final int HIGHEST_COUNT = 65535;
    static final long HIGHEST_DIRECTORY_BYTES = 64 << 20;

    /** Decodes the extension's data and refuses a directory that can't be there, before it is read. */
    static BitmapsExtension parse(Image image, HeaderExtension extension) throws DiskException {
        long at = extension.dataOffset();
        Clause clause = ExtensionClause.QC_EXT_11;
        require(image, clause, extension.length() == LENGTH, at - 4, extension.length(), "24 bytes");
        ByteBuffer data = extension.data(image.file());
        long count = Integer.toUnsignedLong(data.getInt(0));
        require(image, clause, count >= 1 && count <= HIGHEST_COUNT, at, count, "1 to 65535 bitmaps");
        require(image, clause, data.getInt(4) == 0, at + 4, data.getInt(4), "0");
        long bytes = data.getLong(8);
        long offset = data.getLong(16);
        boolean sizeFits = bytes > 0 && bytes <= HIGHEST_DIRECTORY_BYTES;
        require(image, clause, sizeFits, at + 8, bytes, "a directory of up to 64 MiB");
        boolean placeFits = offset > 0
                && image.geometry().offsetInCluster(offset) == 0
                && offset <= image.file().size() - bytes;
        require(image, clause, placeFits, at + 16, offset, "the start of a cluster, with the directory in the file");
        return new BitmapsExtension((int) count, bytes, offset);
    }

    byte[] encode() {
        return ByteBuffer.allocate(LENGTH)
                .putInt(count)
                .putInt(0)
                .putLong(directoryBytes)
                .putLong(directoryOffset)
                .array();
    }

    static void require(Image image, Clause clause, boolean holds, long at, long found, String allowed)
            throws MalformedImageException {
        if (!holds) {
            throw new MalformedImageException(image.file().name(), clause, at, Long.toUnsignedString(found), allowed);
        }
    }
}
