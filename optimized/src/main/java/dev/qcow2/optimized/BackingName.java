package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_08;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_05;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_30;

import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Gives an image another backing file's name. The name is written where nothing stands, and flushed; then the header's
 * fields name it in one write. The format's extension keeps its place: its two names have room in the same eight bytes.
 */
final class BackingName {

    private static final int NAME_FIELDS_AT = 8;
    private static final int SECTOR = 512;
    private static final int SLOT_BYTES = 16;

    private final HostFile host;
    private final ImageHeader header;

    BackingName(HostFile host, ImageHeader header) {
        this.host = host;
        this.header = header;
    }

    void set(Optional<Backing> backing) throws DiskException {
        byte[] name = backing.map(given -> given.name().getBytes(StandardCharsets.UTF_8))
                .orElse(new byte[0]);
        require(
                backing.isEmpty() || (name.length > 0 && name.length <= ImageHeader.MAX_BACKING_NAME),
                "a name of " + name.length + " bytes");
        if (backing.isPresent() && header.rawDataFile()) {
            throw new RequestRefusedException(
                    host.name(), QC_HDR_30, "a raw data file leaves nothing to a backing file");
        }
        HeaderArea area = HeaderArea.read(host, header);
        Optional<HeaderExtension> slot = slot();
        Optional<BackingFormat> format = backing.flatMap(Backing::format);
        int extensionBytes = format.isPresent() && slot.isEmpty() ? SLOT_BYTES : 0;
        long nameAt = backing.isEmpty() ? 0 : area.freeAt() + extensionBytes;
        requireRoom(nameAt + name.length);
        if (name.length > 0) {
            host.write(nameAt, ByteBuffer.wrap(name));
            host.flush();
        }
        switchFields(nameAt, name.length, slot, format);
        if (extensionBytes > 0) {
            append(area, format.get());
        }
    }

    private Optional<HeaderExtension> slot() throws DiskException {
        Optional<HeaderExtension> known =
                HeaderExtension.find(host, header.clusterBits(), ImageHeader.EXTENSION_BACKING_FORMAT);
        Optional<HeaderExtension> slot =
                known.isPresent() ? known : HeaderExtension.find(host, header.clusterBits(), HeaderExtension.UNUSED);
        // A longer or shorter one has another place; nobody writes such names.
        return slot.filter(found -> ((found.length() + 7) & ~7) == SLOT_BYTES - 8);
    }

    /** The name's fields, and the format's extension with them if one write reaches both. */
    private void switchFields(
            long nameAt, int nameLength, Optional<HeaderExtension> slot, Optional<BackingFormat> format)
            throws DiskException {
        ByteBuffer fields =
                ByteBuffer.allocate(12).putLong(nameAt).putInt(nameLength).flip();
        if (slot.isEmpty()) {
            host.write(NAME_FIELDS_AT, fields);
            host.flush();
            return;
        }
        long slotAt = slot.get().dataOffset() - 8;
        ByteBuffer content = format.isPresent() ? extension(format.get()) : unused(slot.get());
        if (slotAt + SLOT_BYTES <= SECTOR) {
            ByteBuffer all = ByteBuffer.allocate((int) slotAt + SLOT_BYTES - NAME_FIELDS_AT);
            host.readZeroPadded(NAME_FIELDS_AT, all);
            all.rewind().put(fields).position((int) slotAt - NAME_FIELDS_AT).put(content);
            host.write(NAME_FIELDS_AT, all.rewind());
        } else {
            host.write(NAME_FIELDS_AT, fields);
            host.flush();
            host.write(slotAt, content);
        }
        host.flush();
    }

    private static ByteBuffer extension(BackingFormat format) {
        byte[] name = format.formatName().getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(SLOT_BYTES)
                .putInt(ImageHeader.EXTENSION_BACKING_FORMAT)
                .putInt(name.length)
                .put(name)
                .rewind();
    }

    private static ByteBuffer unused(HeaderExtension slot) {
        return ByteBuffer.allocate(8)
                .putInt(HeaderExtension.UNUSED)
                .putInt(slot.length())
                .flip();
    }

    /** Adds an extension behind the others: all of it but its head, and then the head in place of the end's mark. */
    private void append(HeaderArea area, BackingFormat format) throws DiskException {
        ByteBuffer content = extension(format);
        ByteBuffer rest = ByteBuffer.allocate(SLOT_BYTES);
        rest.put(content.slice(8, 8)).putLong(0).flip();
        host.write(area.extensionsEnd() + 8, rest);
        host.flush();
        host.write(area.extensionsEnd(), content.limit(8));
        host.flush();
    }

    private void requireRoom(long end) throws DiskException {
        if (end > 1L << header.clusterBits()) {
            throw new RequestRefusedException(
                    host.name(), QC_EXT_08, "the backing file's name does not fit into the first cluster");
        }
    }

    private void require(boolean holds, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(host.name(), QC_HDR_05, reason);
        }
    }
}
