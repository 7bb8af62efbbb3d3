package dev.qcow2.spec.audit;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How often each host cluster is referred to, and by what. Memory grows with the clusters that are. */
final class ReferenceCounts {

    /** The header's cluster. */
    static final int HEADER = 1;
    /** An L1 table, active or of a snapshot. */
    static final int L1_TABLE = 1 << 1;
    /** An L2 table. */
    static final int L2_TABLE = 1 << 2;
    /** A guest cluster that is not compressed. */
    static final int DATA = 1 << 3;
    /** Compressed data of one or more guest clusters. */
    static final int COMPRESSED = 1 << 4;
    /** The refcount table. */
    static final int REFCOUNT_TABLE = 1 << 5;
    /** A refcount block. */
    static final int REFCOUNT_BLOCK = 1 << 6;
    /** The snapshot table, bitmaps, the encryption header. */
    static final int OTHER = 1 << 7;

    /** Kinds that have one owner each, so that a second reference is an overlap (QC-REF-16). */
    private static final int EXCLUSIVE = HEADER | L1_TABLE | REFCOUNT_TABLE | REFCOUNT_BLOCK | OTHER;

    /** Counts of neighbouring clusters. */
    static final class Chunk extends KeyedTable.Keyed {
        final int[] counts;
        final byte[] kinds;
        boolean compared;

        Chunk(long key, int size) {
            super(key);
            this.counts = new int[size];
            this.kinds = new byte[size];
        }

        boolean overlaps(int at) {
            int kind = kinds[at] & 0xff;
            return (kind & (kind - 1)) != 0 || (counts[at] > 1 && (kind & EXCLUSIVE) != 0);
        }
    }

    private final int chunkBits;
    private final int maximum;
    private final KeyedTable<Chunk> chunks = new KeyedTable<>(Chunk[]::new);
    private long allowance;
    private long end;
    private @Nullable Chunk last;

    /**
     * Makes an empty tally.
     *
     * @param chunkBits a chunk has {@code 1 << chunkBits} clusters
     * @param maximum the highest count that the image can store
     * @param allowance bytes of memory that may be taken
     */
    ReferenceCounts(int chunkBits, int maximum, long allowance) {
        this.chunkBits = chunkBits;
        this.maximum = maximum;
        this.allowance = allowance;
    }

    int chunkBits() {
        return chunkBits;
    }

    /** Returns the index after the highest cluster that was ever referred to. */
    long end() {
        return end;
    }

    /**
     * Counts references.
     *
     * @return how many of them do not fit the width of a count
     */
    long add(long cluster, int times, int kind) throws LimitReachedException {
        Chunk chunk = last;
        if (chunk == null || chunk.key != cluster >>> chunkBits) {
            chunk = chunkOf(cluster >>> chunkBits);
            last = chunk;
        }
        if (cluster >= end) {
            end = cluster + 1;
        }
        int at = (int) cluster & (chunk.counts.length - 1);
        chunk.kinds[at] |= (byte) kind;
        long sum = (long) chunk.counts[at] + times;
        chunk.counts[at] = (int) Math.min(sum, maximum);
        return Math.max(0, sum - maximum);
    }

    int get(long cluster) {
        Chunk chunk = chunks.find(cluster >>> chunkBits);
        return chunk == null ? 0 : chunk.counts[(int) cluster & (chunk.counts.length - 1)];
    }

    @Nullable
    Chunk find(long chunkIndex) {
        return chunks.find(chunkIndex);
    }

    void forEach(Consumer<Chunk> action) {
        chunks.forEach(action);
    }

    private Chunk chunkOf(long index) throws LimitReachedException {
        Chunk chunk = chunks.find(index);
        if (chunk == null) {
            // Five bytes a cluster, and what the objects and the table around them take.
            allowance -= (5L << chunkBits) + 100;
            if (allowance < 0) {
                throw new LimitReachedException("more scattered references than the audit may remember");
            }
            chunk = new Chunk(index, 1 << chunkBits);
            chunks.add(chunk);
        }
        return chunk;
    }
}
