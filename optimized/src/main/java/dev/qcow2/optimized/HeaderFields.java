package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * Changes of the header in the file: fields that belong together go in one write, so that a power cut leaves either the
 * old pair or the new one, and nothing else is touched (QC-HDR-21, QC-HDR-25, QC-EXT-04).
 */
final class HeaderFields {

    private HeaderFields() {}

    static void setL1(HostFile host, int entries, long offset) throws DiskException {
        host.write(
                ImageHeader.L1_SIZE_AT,
                ByteBuffer.allocate(12).putInt(entries).putLong(offset).flip());
    }

    static void setSize(HostFile host, long bytes) throws DiskException {
        host.write(ImageHeader.SIZE_AT, ByteBuffer.allocate(8).putLong(bytes).flip());
    }

    /** The four fields from the size to the L1 table's offset; the method of encryption, between them, stays. */
    static void setSizeAndL1(HostFile host, long size, int entries, long offset) throws DiskException {
        ByteBuffer fields = ByteBuffer.allocate(24);
        host.readZeroPadded(ImageHeader.SIZE_AT, fields);
        fields.putLong(0, size).putInt(12, entries).putLong(16, offset);
        host.write(ImageHeader.SIZE_AT, fields.flip());
    }

    static void setRefcountTable(HostFile host, long offset, int clusters) throws DiskException {
        host.write(
                ImageHeader.REFCOUNT_TABLE_AT,
                ByteBuffer.allocate(12).putLong(offset).putInt(clusters).flip());
    }

    static void setSnapshots(HostFile host, int count, long offset) throws DiskException {
        host.write(
                ImageHeader.SNAPSHOTS_AT,
                ByteBuffer.allocate(12).putInt(count).putLong(offset).flip());
    }

    /** QC-HDR-23: only the bits stay whose data we keep as they say. */
    static void setAutoclear(HostFile host, long bits) throws DiskException {
        host.write(
                ImageHeader.AUTOCLEAR_AT, ByteBuffer.allocate(8).putLong(bits).flip());
        host.flush();
    }
}
