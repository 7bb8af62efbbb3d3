package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * The dirty and the corrupt bit of an image that is open for writing. Each change is one write of the feature field,
 * and is flushed before anything goes on that the bit speaks of. Guarded by the checkpoint's writer lock.
 */
final class HeaderMarks {

    private final HostFile host;
    private final boolean inHeader;
    private long incompatible;

    HeaderMarks(HostFile host, ImageHeader header) {
        this.host = host;
        this.inHeader = header.version() >= 3;
        this.incompatible = header.incompatible();
    }

    boolean dirty() {
        return (incompatible & ImageHeader.DIRTY) != 0;
    }

    /** QC-HDR-16: says that the counts on disk may be wrong from now on. */
    void setDirty() throws DiskException {
        change(incompatible | ImageHeader.DIRTY);
    }

    /** Says that the counts are right; they are on disk. */
    void clearDirty() throws DiskException {
        change(incompatible & ~ImageHeader.DIRTY);
    }

    /** Says that the image is right in every way. */
    void clear() throws DiskException {
        change(incompatible & ~(ImageHeader.DIRTY | ImageHeader.CORRUPT));
    }

    /** QC-HDR-17: says that metadata is broken. Version 2 has no place for this. */
    void setCorrupt() throws DiskException {
        change(incompatible | ImageHeader.CORRUPT);
    }

    private void change(long bits) throws DiskException {
        if (inHeader && bits != incompatible) {
            host.write(
                    ImageHeader.INCOMPATIBLE_AT,
                    ByteBuffer.allocate(8).putLong(bits).flip());
            host.flush();
            incompatible = bits;
        }
    }
}
