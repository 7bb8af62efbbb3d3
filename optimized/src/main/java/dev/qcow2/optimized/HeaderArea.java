package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_02;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * What stands where in the header's cluster.
 *
 * @param extensionsStart behind the header's fields
 * @param extensionsEnd where the mark stands that ends the extensions
 * @param nameAt the backing file's name, 0 if there is none
 * @param nameLength its bytes
 */
record HeaderArea(long extensionsStart, long extensionsEnd, long nameAt, int nameLength) {

    static HeaderArea read(HostFile host, ImageHeader header) throws DiskException {
        ByteBuffer fields = ByteBuffer.allocate(ImageHeader.V2_LENGTH);
        host.readZeroPadded(0, fields);
        long nameAt = fields.getLong(8);
        long limit = nameAt == 0 ? 1L << header.clusterBits() : nameAt;
        long start = HeaderExtension.start(host);
        ByteBuffer head = ByteBuffer.allocate(8);
        for (long at = start; at <= limit - 8; ) {
            host.readZeroPadded(at, head.clear());
            if (head.getInt(0) == 0) {
                return new HeaderArea(start, at, nameAt, nameAt == 0 ? 0 : fields.getInt(16));
            }
            at += 8 + (((head.getInt(4) & 0xffff_ffffL) + 7) & ~7L);
        }
        throw new RequestRefusedException(
                host.name(), QC_EXT_02, "there is no room in the header: its extensions have no end mark");
    }

    /** The first byte, a multiple of 8, behind all that stands there. */
    long freeAt() {
        return (Math.max(extensionsEnd + 8, nameAt + nameLength) + 7) & ~7L;
    }
}
