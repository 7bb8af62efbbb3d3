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
 *     12    4 flags                 bit 0 in use, bit 1 enabled, bit 2 extra data may be ignored; others are refused
 *     16    1 type                  1: dirty tracking; others are refused
 *     17    1 granularity_bits      9 to 31
 *     18    2 name_size             1 to 1023
 *     20    4 extra_data_size       whatever fits into the directory                    QC-BM-12
 *     24    n extra_data            kept; nobody knows what it means                    QC-BM-12
 *   24+n    m name                  UTF-8 if all is well, unique in the image; its bytes are kept
 * </pre>
 *
 * @param tableOffset host offset of the bitmap table
 * @param tableEntries entries of the table, each a cluster of bits
 * @param flags as they stand
 * @param granularityBits a bit stands for {@code 1 << granularityBits} bytes of the disk
 * @param extraData of no known meaning
 * @param nameBytes unique in the image
 */
record BitmapDirectoryEntry(
        long tableOffset,
        int tableEntries,
        int flags,
        int granularityBits,
        ByteBuffer extraData,
        ByteBuffer nameBytes) {

    static final int HIGHEST_NAME_LENGTH = 1023;
    static final int LOWEST_GRANULARITY_BITS = 9;
    static final int HIGHEST_GRANULARITY_BITS = 31;
    /** All bits of one bitmap. */
    static final long HIGHEST_BYTES = 512 << 20;

    private static final int FIXED = 24;
    private static final int IN_USE = 1;
    private static final int ENABLED = 2;
    private static final int COMPATIBLE = 4;

    /** The entry of a new bitmap, which has no table yet. */
    static BitmapDirectoryEntry of(String name, int granularityBits, boolean enabled) {
        ByteBuffer nameBytes = ByteBuffer.wrap(name.getBytes(StandardCharsets.UTF_8));
        ByteBuffer none = ByteBuffer.allocate(0);
        return new BitmapDirectoryEntry(0, 0, enabled ? ENABLED : 0, granularityBits, none, nameBytes);
    }

    /** Reads the whole directory; each entry is checked by itself. */
    static List<BitmapDirectoryEntry> readAll(Image image, BitmapsExtension extension) throws DiskException {
        ByteBuffer bytes = image.read(extension.directoryOffset(), Math.toIntExact(extension.directoryBytes()));
        List<BitmapDirectoryEntry> entries = new ArrayList<>();
        for (int i = 0; i < extension.count(); i++) {
            long at = extension.directoryOffset() + bytes.position();
            require(image, bytes.remaining() >= FIXED, at, bytes.remaining(), "another entry");
            long extra = Integer.toUnsignedLong(bytes.getInt(bytes.position() + 20));
            require(image, extra <= bytes.remaining(), at + 20, extra, "extra data inside the directory");
            int length = padded(FIXED + (int) extra + (bytes.getShort(bytes.position() + 18) & 0xffff));
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
        int extra = bytes.getInt(20);
        require(image, (flags & ~(IN_USE | ENABLED | COMPATIBLE)) == 0, at + 12, flags, "flags 0 to 2 only");
        require(image, bytes.get(16) == 1, at + 16, bytes.get(16), "type 1");
        boolean granular = granularityBits >= LOWEST_GRANULARITY_BITS && granularityBits <= HIGHEST_GRANULARITY_BITS;
        require(image, granular, at + 17, granularityBits, "9 to 31");
        require(image, nameLength > 0 && nameLength <= HIGHEST_NAME_LENGTH, at + 18, nameLength, "1 to 1023");
        long offset = bytes.getLong(0);
        int entries = bytes.getInt(8);
        boolean sizeFits = entries > 0 && (long) entries << image.header().clusterBits() <= HIGHEST_BYTES;
        require(image, sizeFits, at + 8, entries, "a bitmap of up to 512 MiB");
        boolean placeFits = offset > 0
                && image.geometry().offsetInCluster(offset) == 0
                && offset <= image.file().size() - (long) entries * Geometry.ENTRY_BYTES;
        require(image, placeFits, at, offset, "the start of a cluster, with the table in the file");
        return new BitmapDirectoryEntry(
                offset,
                entries,
                flags,
                granularityBits,
                bytes.slice(FIXED, extra),
                bytes.slice(FIXED + extra, nameLength));
    }

    private static void require(Image image, boolean holds, long at, long found, String allowed) throws DiskException {
        Clause clause = ExtensionClause.QC_EXT_11;
        BitmapsExtension.require(image, clause, holds, at, found, allowed);
    }

    private static int padded(int length) {
        return (length + 7) / 8 * 8;
    }

    int length() {
        return padded(FIXED + extraData.limit() + nameBytes.limit());
    }

    String name() {
        return StandardCharsets.UTF_8.decode(nameBytes.duplicate()).toString();
    }

    /** Whether somebody opened the image for writing and did not store the bitmap since. */
    boolean inUse() {
        return (flags & IN_USE) != 0;
    }

    /** Whether the bitmap follows writes. */
    boolean enabled() {
        return (flags & ENABLED) != 0;
    }

    /** QC-BM-12: whether the bitmap may be used by those who don't know what its extra data means. */
    boolean known() {
        return extraData.limit() == 0 || (flags & COMPATIBLE) != 0;
    }

    BitmapDirectoryEntry withInUse(boolean other) {
        return withFlag(IN_USE, other);
    }

    BitmapDirectoryEntry withEnabled(boolean other) {
        return withFlag(ENABLED, other);
    }

    private BitmapDirectoryEntry withFlag(int flag, boolean set) {
        int changed = set ? flags | flag : flags & ~flag;
        return new BitmapDirectoryEntry(tableOffset, tableEntries, changed, granularityBits, extraData, nameBytes);
    }

    BitmapDirectoryEntry withTable(long offset, int entries) {
        return new BitmapDirectoryEntry(offset, entries, flags, granularityBits, extraData, nameBytes);
    }

    /** Encodes the entry with its padding. */
    ByteBuffer encode() {
        ByteBuffer bytes = ByteBuffer.allocate(length());
        bytes.putLong(tableOffset).putInt(tableEntries).putInt(flags);
        bytes.put((byte) 1).put((byte) granularityBits).putShort((short) nameBytes.limit());
        bytes.putInt(extraData.limit()).put(extraData.duplicate()).put(nameBytes.duplicate());
        return bytes.clear();
    }

    /** Encodes a directory. */
    static ByteBuffer encodeAll(List<BitmapDirectoryEntry> entries) {
        int length = entries.stream().mapToInt(BitmapDirectoryEntry::length).sum();
        ByteBuffer bytes = ByteBuffer.allocate(length);
        entries.forEach(entry -> bytes.put(entry.encode()));
        return bytes.flip();
    }
}
