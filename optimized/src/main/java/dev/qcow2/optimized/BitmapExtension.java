package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_08;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Makes the header name a directory of bitmaps. Its autoclear bit is off while the extension changes, so a power cut costs
 * bitmaps that were in use anyhow, and leaves nothing that is half right.
 */
final class BitmapExtension {

    private static final int DATA_BYTES = 24;

    private final HostFile host;
    private final ImageHeader header;

    BitmapExtension(HostFile host, ImageHeader header) {
        this.host = host;
        this.header = header;
    }

    void set(int count, long length, long offset) throws DiskException {
        Optional<HeaderExtension> slot = slot();
        if (count == 0 && slot.isEmpty()) {
            return;
        }
        setBit(false);
        int type = count == 0 ? HeaderExtension.UNUSED : HeaderExtension.BITMAPS;
        ByteBuffer extension = ByteBuffer.allocate(8 + DATA_BYTES).putInt(type).putInt(DATA_BYTES);
        extension.putInt(count).putInt(0).putLong(length).putLong(offset).flip();
        if (slot.isPresent()) {
            host.write(slot.get().dataOffset() - 8, extension);
            host.flush();
        } else {
            append(extension);
        }
        if (count > 0) {
            // QC-BM-27: with the last bitmap the bit stays off.
            setBit(true);
        }
    }

    /** Refuses if the header has no room for the extension. */
    void requirePossible() throws DiskException {
        if (slot().isEmpty()) {
            HeaderArea area = HeaderArea.read(host, header);
            long end = area.extensionsEnd() + 8 + DATA_BYTES + 8;
            requireRoom(Math.max(area.freeAt(), end) + area.nameLength());
        }
    }

    private Optional<HeaderExtension> slot() throws DiskException {
        Optional<HeaderExtension> known = HeaderExtension.find(host, header.clusterBits(), HeaderExtension.BITMAPS);
        Optional<HeaderExtension> slot =
                known.isPresent() ? known : HeaderExtension.find(host, header.clusterBits(), HeaderExtension.UNUSED);
        return slot.filter(found -> found.length() == DATA_BYTES);
    }

    /** The new extension goes behind the others, and the backing file's name out of its way before. */
    private void append(ByteBuffer extension) throws DiskException {
        HeaderArea area = HeaderArea.read(host, header);
        long end = area.extensionsEnd() + extension.limit() + 8;
        if (area.nameAt() > 0 && area.nameAt() < end) {
            moveName(area, Math.max(area.freeAt(), end));
        }
        requireRoom(end);
        ByteBuffer rest = ByteBuffer.allocate(extension.limit());
        rest.put(extension.slice(8, DATA_BYTES)).putLong(0).flip();
        host.write(area.extensionsEnd() + 8, rest);
        host.flush();
        host.write(area.extensionsEnd(), extension.limit(8));
        host.flush();
    }

    private void moveName(HeaderArea area, long to) throws DiskException {
        requireRoom(to + area.nameLength());
        ByteBuffer name = ByteBuffer.allocate(area.nameLength());
        host.readZeroPadded(area.nameAt(), name);
        host.write(to, name.flip());
        host.flush();
        host.write(8, ByteBuffer.allocate(8).putLong(to).flip());
        host.flush();
    }

    private void requireRoom(long end) throws DiskException {
        if (end > 1L << header.clusterBits()) {
            throw new RequestRefusedException(
                    host.name(), QC_EXT_08, "the header's cluster has no room for the bitmaps extension");
        }
    }

    private void setBit(boolean on) throws DiskException {
        ByteBuffer bits = ByteBuffer.allocate(8);
        host.readZeroPadded(ImageHeader.AUTOCLEAR_AT, bits);
        long others = bits.getLong(0) & ~ImageHeader.BITMAPS;
        bits.putLong(0, on ? others | ImageHeader.BITMAPS : others);
        host.write(ImageHeader.AUTOCLEAR_AT, bits.rewind());
        host.flush();
    }
}
