package dev.qcow2.spec.trace;

import java.nio.ByteBuffer;

/** What the header of an image says, as far as traces need it. It is read without suspicion: others judge headers. */
record ImageFacts(
        int version,
        int clusterBits,
        boolean extended,
        int countOrder,
        boolean backed,
        long size,
        boolean dirty,
        boolean dataFile,
        Tables tables) {

    /** Bytes of the header that are looked at. */
    static final int HEADER_BYTES = 112;

    private static final int DIRTY = 1;
    private static final int DATA_FILE = 1 << 2;
    private static final int EXTENDED_L2 = 1 << 4;
    private static final int LARGEST_CLUSTER_BITS = 21;
    private static final int LARGEST_L1 = 4 << 20;
    private static final int MOST_SNAPSHOTS = 1 << 16;
    private static final int LARGEST_REFCOUNT_TABLE = 8 << 20;

    /** Where tables are. */
    record Tables(
            long l1Offset,
            int l1Entries,
            long refcountTableOffset,
            int refcountTableBytes,
            long snapshotsOffset,
            int snapshots,
            int headerLength) {}

    static ImageFacts of(ByteBuffer header) {
        int version = header.getInt(4);
        int clusterBits = Math.max(9, Math.min(LARGEST_CLUSTER_BITS, header.getInt(20)));
        long features = version >= 3 ? header.getLong(72) : 0;
        long tableBytes = Integer.toUnsignedLong(header.getInt(56)) << clusterBits;
        Tables tables = new Tables(
                header.getLong(40),
                bounded(header.getInt(36), LARGEST_L1),
                header.getLong(48),
                (int) Math.min(tableBytes, LARGEST_REFCOUNT_TABLE),
                header.getLong(64),
                bounded(header.getInt(60), MOST_SNAPSHOTS),
                version >= 3 ? bounded(header.getInt(100), 1 << clusterBits) : 72);
        return new ImageFacts(
                version,
                clusterBits,
                (features & EXTENDED_L2) != 0,
                version >= 3 ? Math.max(0, Math.min(6, header.getInt(96))) : 4,
                header.getLong(8) != 0,
                header.getLong(24),
                (features & DIRTY) != 0,
                (features & DATA_FILE) != 0,
                tables);
    }

    private static int bounded(int value, int most) {
        return value < 0 ? most : Math.min(value, most);
    }

    int clusterSize() {
        return 1 << clusterBits;
    }

    int entryBytes() {
        return extended ? 16 : 8;
    }

    /** Entries of an L2 table, as a power of two. */
    int tableBits() {
        return clusterBits - (extended ? 4 : 3);
    }

    /** Counts of a refcount block, as a power of two. */
    int blockBits() {
        return clusterBits + 3 - countOrder;
    }

    int subclusters() {
        return extended ? 32 : 1;
    }

    /** What an entry of an L2 table says. */
    EntryState entry(long word, long bitmap) {
        boolean copied = word < 0;
        if ((word & EntryWords.COMPRESSED) != 0) {
            int offsetBits = 62 - (clusterBits - 8);
            long start = word & ((1L << offsetBits) - 1);
            long sectors = (word & (EntryWords.COMPRESSED - 1)) >>> offsetBits;
            long end = (start & -512L) + (sectors + 1) * 512;
            return EntryState.compressed(
                    start >>> clusterBits, (end - 1) >>> clusterBits, copied, start & (clusterSize() - 1));
        }
        long offset = word & EntryWords.OFFSET;
        long host = offset == 0 ? EntryState.NO_HOST : offset >>> clusterBits;
        if (extended) {
            return EntryState.standard(host, copied, (int) bitmap, (int) (bitmap >>> 32));
        }
        int zero = (int) word & 1;
        return EntryState.standard(host, copied, offset != 0 && zero == 0 ? 1 : 0, zero);
    }

    /** What an entry of an L1 table says. */
    EntryState root(long word) {
        long offset = word & EntryWords.OFFSET;
        return offset == 0
                ? EntryState.standard(EntryState.NO_HOST, word < 0, 0, 0)
                : EntryState.standard(offset >>> clusterBits, word < 0, 1, 0);
    }

    /** The bits of entries. */
    static final class EntryWords {

        static final long COMPRESSED = 1L << 62;
        static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

        private EntryWords() {}
    }
}
