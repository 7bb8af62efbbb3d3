package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_11;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The directory of persistent bitmaps: where it is, and its entries, which follow each other padded to 8 bytes.
 *
 * @param offset where it starts; 0 if there is none
 * @param length its bytes
 * @param entries the bitmaps
 */
record BitmapDirectory(long offset, long length, List<Entry> entries) {

    static final int MAX_BITMAPS = 65535;
    static final int MAX_NAME_BYTES = 1023;
    static final int LEAST_GRANULARITY_BITS = 9;
    static final int MOST_GRANULARITY_BITS = 31;
    static final long MAX_BITMAP_BYTES = 512L << 20;
    static final int IN_USE = 1;
    static final int ENABLED = 2;
    static final int COMPATIBLE = 4;
    private static final long MAX_DIRECTORY_BYTES = 1024L * MAX_BITMAPS;
    private static final int FIXED_BYTES = 24;
    private static final int EXTENSION_BYTES = 24;
    private static final byte DIRTY_TRACKING = 1;

    /** No bitmap. */
    static final BitmapDirectory NONE = new BitmapDirectory(0, 0, List.of());

    /**
     * One bitmap.
     *
     * @param name what its name reads as
     * @param granularityBits 9 to 31
     * @param flags {@link #IN_USE}, {@link #ENABLED} and {@link #COMPATIBLE}
     * @param tableOffset where its table is
     * @param tableSize entries of that, 8 bytes each
     * @param extraBytes of extra data, which nobody knows
     * @param tail the extra data and the name, as they stand in the file; at most 1023 bytes are the name's
     */
    record Entry(
            String name,
            int granularityBits,
            int flags,
            long tableOffset,
            int tableSize,
            int extraBytes,
            ByteBuffer tail) {

        /** A bitmap that has no table yet. */
        static Entry of(String name, int granularityBits) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            return new Entry(name, granularityBits, 0, 0, 0, 0, ByteBuffer.wrap(bytes));
        }

        /** The same bitmap, stored anew. */
        Entry stored(int newFlags, long newOffset, int newSize) {
            return new Entry(name, granularityBits, newFlags, newOffset, newSize, extraBytes, tail);
        }

        boolean inUse() {
            return (flags & IN_USE) != 0;
        }

        boolean enabled() {
            return (flags & ENABLED) != 0;
        }

        /** QC-BM-12: whether who does not know the extra data may use the bitmap. */
        boolean known() {
            return extraBytes == 0 || (flags & COMPATIBLE) != 0;
        }

        private ByteBuffer nameBytes() {
            return tail.slice(extraBytes, tail.capacity() - extraBytes);
        }

        int bytes() {
            return (FIXED_BYTES + tail.capacity() + 7) & ~7;
        }

        void putInto(ByteBuffer directory) {
            int start = directory.position();
            directory.putLong(tableOffset).putInt(tableSize).putInt(flags);
            directory.put(DIRTY_TRACKING).put((byte) granularityBits);
            directory.putShort((short) (tail.capacity() - extraBytes)).putInt(extraBytes);
            directory.put(tail.duplicate());
            directory.position(start + bytes());
        }
    }

    /**
     * Reads the directory that the header's extension names, if its autoclear bit vouches for it (QC-EXT-11).
     *
     * @throws DiskException if it breaks a rule, or has what we don't know
     */
    static BitmapDirectory read(HostFile host, ImageHeader header) throws DiskException {
        if ((header.autoclear() & ImageHeader.BITMAPS) == 0) {
            return NONE;
        }
        Optional<HeaderExtension> found = HeaderExtension.find(host, header.clusterBits(), HeaderExtension.BITMAPS);
        if (found.isEmpty()) {
            throw malformed(host, ImageHeader.AUTOCLEAR_AT, "no bitmaps extension", "one, as the autoclear bit says");
        }
        long at = found.get().dataOffset();
        require(found.get().length() == EXTENSION_BYTES, host, at, found.get().length() + " bytes", "24");
        ByteBuffer extension = found.get().data(host);
        long count = extension.getInt(0) & 0xffff_ffffL;
        long length = extension.getLong(8);
        long offset = extension.getLong(16);
        require(count > 0 && count <= MAX_BITMAPS, host, at, count + " bitmaps", "1 to 65535");
        require(extension.getInt(4) == 0, host, at + 4, "reserved bytes", "0");
        require(length > 0 && length <= MAX_DIRECTORY_BYTES, host, at + 8, length + " bytes", "at most 64 MiB");
        requireTable(host, header, at + 16, offset, length);
        ByteBuffer bytes = ByteBuffer.allocate((int) length);
        host.readZeroPadded(offset, bytes);
        return new BitmapDirectory(offset, length, entries(host, header, offset, bytes.flip(), (int) count));
    }

    private static List<Entry> entries(HostFile host, ImageHeader header, long offset, ByteBuffer bytes, int count)
            throws DiskException {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = bytes.position();
            require(bytes.remaining() >= FIXED_BYTES, host, offset + at, "the directory's end", "a bitmap");
            int nameLength = bytes.getShort(at + 18) & 0xffff;
            long extra = bytes.getInt(at + 20) & 0xffff_ffffL;
            String found = extra + " bytes of extra data";
            require(extra <= bytes.remaining(), host, offset + at + 20, found, "what the directory holds");
            int length = FIXED_BYTES + (int) extra + nameLength;
            require(
                    nameLength > 0 && nameLength <= MAX_NAME_BYTES && ((length + 7) & ~7) <= bytes.remaining(),
                    host,
                    offset + at + 18,
                    "a name of " + nameLength + " bytes",
                    "1 to 1023, inside the directory");
            entries.add(entry(host, header, offset + at, bytes.slice(at, length)));
            bytes.position(at + ((length + 7) & ~7));
        }
        require(!bytes.hasRemaining(), host, offset, bytes.remaining() + " more bytes", "no bytes behind the last one");
        require(
                entries.stream().map(Entry::nameBytes).distinct().count() == count,
                host,
                offset,
                "a name twice",
                "unique names");
        return List.copyOf(entries);
    }

    private static Entry entry(HostFile host, ImageHeader header, long at, ByteBuffer bytes) throws DiskException {
        int flags = bytes.getInt(12);
        int type = bytes.get(16);
        int granularityBits = bytes.get(17) & 0xff;
        long tableSize = bytes.getInt(8) & 0xffff_ffffL;
        require(
                (flags & ~(IN_USE | ENABLED | COMPATIBLE)) == 0,
                host,
                at + 12,
                RefcountStore.hex(flags),
                "no reserved flag");
        require(type == DIRTY_TRACKING, host, at + 16, "type " + type, "1");
        require(
                granularityBits >= LEAST_GRANULARITY_BITS && granularityBits <= MOST_GRANULARITY_BITS,
                host,
                at + 17,
                granularityBits + " granularity bits",
                "9 to 31");
        require(
                tableSize > 0 && tableSize << header.clusterBits() <= MAX_BITMAP_BYTES,
                host,
                at + 8,
                tableSize + " clusters",
                "at least one, and at most 512 MiB");
        require(
                (flags & IN_USE) != 0
                        || tableSize >= tableSizeFor(header.clusterBits(), granularityBits, header.size()),
                host,
                at + 8,
                tableSize + " clusters",
                "enough for the disk");
        requireTable(host, header, at, bytes.getLong(0), 8 * tableSize);
        int extra = bytes.getInt(20);
        ByteBuffer tail = bytes.slice(FIXED_BYTES, bytes.capacity() - FIXED_BYTES);
        String name = StandardCharsets.UTF_8
                .decode(tail.slice(extra, tail.capacity() - extra))
                .toString();
        return new Entry(name, granularityBits, flags, bytes.getLong(0), (int) tableSize, extra, tail);
    }

    /** The clusters of bits that a disk needs. */
    static long tableSizeFor(int clusterBits, int granularityBits, long diskSize) {
        long bits = diskSize == 0 ? 0 : ((diskSize - 1) >>> granularityBits) + 1;
        return bits == 0 ? 0 : ((bits - 1) >>> (clusterBits + 3)) + 1;
    }

    private static void requireTable(HostFile host, ImageHeader header, long at, long offset, long length)
            throws DiskException {
        long clusterSize = 1L << header.clusterBits();
        require(
                offset >= clusterSize && (offset & (clusterSize - 1)) == 0 && offset <= host.size() - length,
                host,
                at,
                length + " bytes at " + RefcountStore.hex(offset),
                "whole clusters inside the file");
    }

    private static void require(boolean holds, HostFile host, long at, String found, String allowed)
            throws DiskException {
        if (!holds) {
            throw malformed(host, at, found, allowed);
        }
    }

    private static MalformedImageException malformed(HostFile host, long at, String found, String allowed) {
        return new MalformedImageException(host.name(), QC_EXT_11, at, found, allowed);
    }
}
