package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_03;
import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_05;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A header extension in the file (QC-EXT-01).
 *
 * @param type what it is
 * @param dataOffset where its data starts, behind type and length
 * @param length bytes of data, without padding
 */
record HeaderExtension(int type, long dataOffset, int length) {

    static final int BITMAPS = 0x23852875;
    static final int ENCRYPTION = 0x0537be77;

    /** A type that nobody knows: an extension that says nothing and keeps its place (QC-EXT-04). */
    static final int UNUSED = 0x756e7573;

    /** Where the extensions start: behind the header's own fields. */
    static long start(HostFile host) throws DiskException {
        ByteBuffer fields = fields(host);
        return fields.getInt(4) == 2 ? ImageHeader.V2_LENGTH : fields.getInt(100);
    }

    /** Finds the extension of a type; of a known one there are no two. */
    static Optional<HeaderExtension> find(HostFile host, int clusterBits, int type) throws DiskException {
        long backingName = fields(host).getLong(8);
        long end = backingName == 0 ? 1L << clusterBits : backingName;
        ByteBuffer head = ByteBuffer.allocate(8);
        Optional<HeaderExtension> found = Optional.empty();
        for (long at = start(host); at <= end - 8; ) {
            host.readZeroPadded(at, head.clear());
            long length = head.getInt(4) & 0xffff_ffffL;
            // QC-EXT-02
            if (head.getInt(0) == 0) {
                return found;
            }
            if (length > end - at - 8) {
                throw new MalformedImageException(
                        host.name(), QC_EXT_03, at + 4, length + " bytes", "at most " + (end - at - 8));
            }
            if (head.getInt(0) == type) {
                if (found.isPresent()) {
                    throw new MalformedImageException(host.name(), QC_EXT_05, at, "a second extension", "one");
                }
                found = Optional.of(new HeaderExtension(type, at + 8, (int) length));
                if (type == UNUSED) {
                    return found;
                }
            }
            at += 8 + ((length + 7) & ~7L);
        }
        return found;
    }

    private static ByteBuffer fields(HostFile host) throws DiskException {
        ByteBuffer fields = ByteBuffer.allocate(ImageHeader.V3_LENGTH);
        host.readZeroPadded(0, fields);
        return fields;
    }

    ByteBuffer data(HostFile host) throws DiskException {
        ByteBuffer data = ByteBuffer.allocate(length);
        host.readZeroPadded(dataOffset, data);
        return data.flip();
    }
}
