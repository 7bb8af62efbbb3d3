package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * An entry of the bitmap directory. Entries follow each other, each padded with zeros to a multiple of 8 bytes.
 *
 * <pre>
 * offset size field                 allowed                                             clause
 *      0    8 bitmap_table_offset   a multiple of the cluster size, inside the file     QC-EXT-11
 *      8    4 bitmap_table_size     1 or more; the bitmap's clusters up to 512 MiB
 *     12    4 flags                 bit 0 in use, bit 1 enabled; others are refused
 *     16    1 type                  1: dirty tracking; others are refused
 *     17    1 granularity_bits      9 to 31
 *     18    2 name_size             1 to 1023
 *     20    4 extra_data_size       0: nobody knows what extra data would mean, so it is refused
 *     24    n name                  UTF-8, unique in the image
 * </pre>
 *
 * @param tableOffset host offset of the bitmap table
 * @param tableEntries entries of the table, each a cluster of bits
 * @param inUse whether somebody opened the image for writing and did not store the bitmap since
 * @param enabled whether the bitmap follows writes
 * @param granularityBits a bit stands for {@code 1 << granularityBits} bytes of the disk
 * @param name unique in the image
 */
record BitmapDirectoryEntry(
        long tableOffset, int tableEntries, boolean inUse, boolean enabled, int granularityBits, String name) {

    static final int HIGHEST_NAME_LENGTH = 1023;
    static final int LOWEST_GRANULARITY_BITS = 9;
    static final int HIGHEST_GRANULARITY_BITS = 31;
    /** All bits of one bitmap. */
    static final long HIGHEST_BYTES = 512 << 20;

    private static final int FIXED = 24;
    private static final int IN_USE = 1;
    private static final int ENABLED = 2;

    /** Reads the whole directory; each entry is checked by itself. */
    static List<BitmapDirectoryEntry> readAll(Image image, BitmapsExtension extension) throws DiskException {
        ByteBuffer bytes = image.read(extension.directoryOffset(), Math.toIntExact(extension.directoryBytes()));
        List<BitmapDirectoryEntry> entries = new ArrayList<>();
        for (int i = 0; i < extension.count(); i++) {
            long at = extension.directoryOffset() + bytes.position();
            require(image, bytes.remaining() >= FIXED, at, bytes.remaining(), "another entry");
            int length = padded(FIXED + (bytes.getShort(bytes.position() + 18) & 0xffff));
            require(image, bytes.remaining() >= length, at + 18, length, "a name inside the directory");
            entries.add(parse(image, at, bytes.slice(bytes.position(), length)));
            bytes.position(bytes.position() + length);
        }
        require(image, !bytes.hasRemaining(), extension.directoryOffset(), bytes.remaining(), "nothing behind it");
        return entries;
    }

    private static BitmapDirectoryEntry parse(Image image, long at, ByteBuffer bytes) throws DiskException {
        int flags = bytes.getInt(12);
        int granularityBits = bytes.get(17) & 0xff;
        int nameLength = bytes.getShort(18) & 0xffff;
        require(image, (flags & ~(IN_USE | ENABLED)) == 0, at + 12, flags, "flags 0 and 1 only");
        require(image, bytes.get(16) == 1, at + 16, bytes.get(16), "type 1");
        boolean granular = granularityBits >= LOWEST_GRANULARITY_BITS && granularityBits <= HIGHEST_GRANULARITY_BITS;
        require(image, granular, at + 17, granularityBits, "9 to 31");
        require(image, nameLength > 0 && nameLength <= HIGHEST_NAME_LENGTH, at + 18, nameLength, "1 to 1023");
        require(image, bytes.getInt(20) == 0, at + 20, bytes.getInt(20), "no extra data");
        long offset = bytes.getLong(0);
        int entries = bytes.getInt(8);
        boolean sizeFits = entries > 0 && (long) entries << image.header().clusterBits() <= HIGHEST_BYTES;
        require(image, sizeFits, at + 8, entries, "a bitmap of up to 512 MiB");
        boolean placeFits = offset > 0
                && image.geometry().offsetInCluster(offset) == 0
                && offset <= image.file().size() - (long) entries * Geometry.ENTRY_BYTES;
        require(image, placeFits, at, offset, "the start of a cluster, with the table in the file");
        byte[] name = new byte[nameLength];
        bytes.get(FIXED, name);
        return new BitmapDirectoryEntry(
                offset,
                entries,
                (flags & IN_USE) != 0,
                (flags & ENABLED) != 0,
                granularityBits,
                new String(name, StandardCharsets.UTF_8));
    }

    private static void require(Image image, boolean holds, long at, long found, String allowed) throws DiskException {
        Clause clause = ExtensionClause.QC_EXT_11;
        BitmapsExtension.require(image, clause, holds, at, found, allowed);
    }

    private static int padded(int length) {
        return (length + 7) / 8 * 8;
    }

    int length() {
        return padded(FIXED + name.getBytes(StandardCharsets.UTF_8).length);
    }

    BitmapDirectoryEntry withInUse(boolean other) {
        return new BitmapDirectoryEntry(tableOffset, tableEntries, other, enabled, granularityBits, name);
    }

    BitmapDirectoryEntry withEnabled(boolean other) {
        return new BitmapDirectoryEntry(tableOffset, tableEntries, inUse, other, granularityBits, name);
    }

    BitmapDirectoryEntry withTable(long offset, int entries) {
        return new BitmapDirectoryEntry(offset, entries, inUse, enabled, granularityBits, name);
    }

    /** Encodes the entry with its padding. */
    ByteBuffer encode() {
        byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(padded(FIXED + nameBytes.length));
        bytes.putLong(tableOffset).putInt(tableEntries).putInt((inUse ? IN_USE : 0) | (enabled ? ENABLED : 0));
        bytes.put((byte) 1).put((byte) granularityBits).putShort((short) nameBytes.length);
        return bytes.putInt(0).put(nameBytes).clear();
    }

    /** Encodes a directory. */
    static ByteBuffer encodeAll(List<BitmapDirectoryEntry> entries) {
        int length = entries.stream().mapToInt(BitmapDirectoryEntry::length).sum();
        ByteBuffer bytes = ByteBuffer.allocate(length);
        entries.forEach(entry -> bytes.put(entry.encode()));
        return bytes.flip();
    }
}
