package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_06;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;

/**
 * Saved machine state: kept like guest content, behind the part of the L1 table that maps the disk (QC-SNAP-11). The L1 table
 * grows as the area does, up to its largest length (QC-LIM-17).
 */
final class VmStateArea {

    private final Image image;
    private final WritePath writes;

    VmStateArea(Image image, WritePath writes) {
        this.image = image;
        this.writes = writes;
    }

    void read(long offset, ByteBuffer into) throws DiskException {
        requireInside(offset, into.remaining());
        if (into.hasRemaining()) {
            image.read(image.vmStateStart() + offset, into);
        }
    }

    void write(long offset, ByteBuffer from) throws DiskException {
        if (image.mapping().dataFile()) {
            throw new RequestRefusedException(
                    image.host().name(), QC_DATA_06, "machine state in an image with an external data file");
        }
        requireInside(offset, from.remaining());
        if (from.hasRemaining()) {
            writes.write(image.vmStateStart() + offset, from);
        }
    }

    /** Refuses what the longest L1 table would not reach. */
    void requireInside(long offset, long length) throws DiskException {
        long tableBytes = image.mapping().leftInTable(0) << image.clusterBits();
        long area = ImageHeader.MAX_L1_BYTES / 8 * tableBytes - image.vmStateStart();
        if (offset < 0 || length < 0 || offset > area || length > area - offset) {
            throw new OutOfBoundsException(offset, length, area);
        }
    }
}
