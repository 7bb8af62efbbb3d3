package dev.qcow2.spec.audit;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.RefcountLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The reference counts that the image stores. Refcount blocks are read in pieces, when they are needed, and kept as long
 * as memory permits.
 */
final class StoredCounts {

    /** The refcount table entry is broken: no count is known. */
    static final int UNKNOWN = -1;

    private static final int LARGEST_PIECE = 8192;
    private static final VarHandle SHORTS = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    /** Part of a refcount block; {@code bytes} is null if all its counts are 0. */
    static final class Piece extends KeyedTable.Keyed {
        final byte @Nullable [] bytes;
        final boolean known;

        Piece(long key, byte @Nullable [] bytes, boolean known) {
            super(key);
            this.bytes = bytes;
            this.known = known;
        }
    }

    private final MetadataReader reader;
    private final int order;
    private final int clusterBits;
    private final int pieceBytes;
    private final int pieceClusterBits;
    private final long memory;
    private final KeyedTable<Piece> pieces = new KeyedTable<>(Piece[]::new);
    private long held;
    private long[] entries = new long[8];
    private int entryCount;
    private Piece last = new Piece(-1, null, true);

    StoredCounts(MetadataReader reader, ImageFacts facts, long memory) {
        this.reader = reader;
        this.order = facts.refcountOrder();
        this.clusterBits = facts.clusterBits();
        this.pieceBytes = Math.min(LARGEST_PIECE, 1 << clusterBits);
        this.pieceClusterBits = Integer.numberOfTrailingZeros(pieceBytes) + 3 - order;
        this.memory = memory;
    }

    /** Reads the refcount table up to its last entry that is not zero (QC-REF-06). */
    void readTable(ImageFacts.Table table, byte[] window) throws DiskException, LimitReachedException {
        long tableOffset = table.hostOffset();
        long tableBytes = table.length();
        for (long done = 0; done < tableBytes; done += window.length) {
            int length = (int) Math.min(window.length, tableBytes - done);
            if (tableOffset + done >= reader.fileSize()) {
                return;
            }
            reader.read(tableOffset + done, window, length);
            for (int at = 0; at < length; at += 8) {
                long entry = (long) MetadataReader.LONGS.get(window, at);
                if (entry != 0) {
                    put((int) ((done + at) >>> 3), entry);
                }
            }
        }
    }

    private void put(int index, long entry) {
        if (index >= entries.length) {
            entries = Arrays.copyOf(entries, Math.max(index + 1, 2 * entries.length));
        }
        entries[index] = entry;
        entryCount = index + 1;
    }

    /** Returns the number of table entries up to the last that is not zero. */
    int entryCount() {
        return entryCount;
    }

    long entry(int index) {
        return entries[index];
    }

    /** Says that no count can be read through an entry (QC-REF-04, QC-LIM-06). */
    boolean broken(long entry) {
        long offset = RefcountLayout.BLOCK_OFFSET.inPlace(entry);
        return offset < 0 || (offset & ((1L << clusterBits) - 1)) != 0;
    }

    int pieceClusterBits() {
        return pieceClusterBits;
    }

    int piecesPerBlock() {
        return (1 << clusterBits) / pieceBytes;
    }

    /**
     * Returns the stored count of a cluster, or {@link #UNKNOWN}; counts above the range of {@code int} are cut down.
     */
    int get(long cluster) throws DiskException, LimitReachedException {
        Piece piece = piece(cluster >>> pieceClusterBits);
        if (piece.bytes == null) {
            return piece.known ? 0 : UNKNOWN;
        }
        return count(piece.bytes, (int) cluster & ((1 << pieceClusterBits) - 1));
    }

    Piece piece(long index) throws DiskException, LimitReachedException {
        if (last.key != index) {
            Piece piece = pieces.find(index);
            last = piece == null ? load(index) : piece;
        }
        return last;
    }

    private Piece load(long index) throws DiskException, LimitReachedException {
        int perBlockBits = Integer.numberOfTrailingZeros(piecesPerBlock());
        long block = index >>> perBlockBits;
        long entry = block < entryCount ? entries[(int) block] : 0;
        Piece piece;
        if (broken(entry)) {
            piece = new Piece(index, null, false);
        } else {
            long offset = RefcountLayout.BLOCK_OFFSET.inPlace(entry);
            long inBlock = index & (piecesPerBlock() - 1);
            piece = new Piece(index, offset == 0 ? null : bytesAt(offset + inBlock * pieceBytes), true);
        }
        keep(piece);
        return piece;
    }

    private byte @Nullable [] bytesAt(long hostOffset) throws DiskException, LimitReachedException {
        if (hostOffset < 0 || hostOffset >= reader.fileSize()) {
            return null;
        }
        byte[] bytes = new byte[pieceBytes];
        reader.read(hostOffset, bytes, pieceBytes);
        return allZero(bytes, 0, pieceBytes) ? null : bytes;
    }

    private void keep(Piece piece) {
        held += 100 + (piece.bytes == null ? 0 : pieceBytes);
        if (held > memory) {
            pieces.clear();
            held = 0;
        }
        pieces.add(piece);
    }

    static boolean allZero(byte[] bytes, int from, int length) {
        for (int at = from; at < from + length; at += 8) {
            if ((long) MetadataReader.LONGS.get(bytes, at) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Takes one count out of a piece ({@link RefcountClause#QC_REF_08}); 32 and 64 bits are cut down to 31. */
    int count(byte[] bytes, int index) {
        return switch (order) {
            case 4 -> (short) SHORTS.get(bytes, 2 * index) & 0xffff;
            case 3 -> bytes[index] & 0xff;
            case 5 -> clamp((int) INTS.get(bytes, 4 * index) & 0xffff_ffffL);
            case 6 -> clamp((long) MetadataReader.LONGS.get(bytes, 8 * index));
            default -> (bytes[index >>> (3 - order)] >>> ((index << order) & 7)) & ((1 << (1 << order)) - 1);
        };
    }

    private static int clamp(long count) {
        return count < 0 || count > Integer.MAX_VALUE ? Integer.MAX_VALUE : (int) count;
    }
}
