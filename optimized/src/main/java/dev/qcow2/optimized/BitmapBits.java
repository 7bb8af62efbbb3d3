package dev.qcow2.optimized;

import dev.qcow2.spec.disk.Bitmaps.Dirty;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The bits of one bitmap in memory, in pieces that exist where a bit is set. Any number of writers may set bits at the
 * same time, without a lock; everything else happens while no request is under way.
 */
final class BitmapBits {

    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int PIECE_WORDS = 512;
    private static final int PIECE_BITS = 64 * PIECE_WORDS;

    private final int granularityBits;
    private long diskSize;
    private AtomicReferenceArray<long[]> pieces;

    BitmapBits(int granularityBits, long diskSize) {
        this.granularityBits = granularityBits;
        this.diskSize = diskSize;
        this.pieces = new AtomicReferenceArray<>(pieceCount());
    }

    /** How many bits the disk needs. */
    long size() {
        return diskSize == 0 ? 0 : ((diskSize - 1) >>> granularityBits) + 1;
    }

    private int pieceCount() {
        return Math.toIntExact((size() + PIECE_BITS - 1) / PIECE_BITS);
    }

    /** Bytes that the pieces take. */
    long memory() {
        long used = 0;
        for (int i = 0; i < pieces.length(); i++) {
            used += pieces.get(i) == null ? 0 : PIECE_BITS / 8;
        }
        return used;
    }

    /** QC-BM-19: sets the bits of a range of the disk, which is not empty. */
    void mark(long guestOffset, long length) {
        setBits(guestOffset >>> granularityBits, (guestOffset + length - 1) >>> granularityBits);
    }

    void setBits(long first, long last) {
        for (long word = first >>> 6; word <= last >>> 6; word++) {
            long mask = -1L;
            if (word == first >>> 6) {
                mask &= -1L << first;
            }
            if (word == last >>> 6) {
                mask &= -1L >>> (63 - (last & 63));
            }
            or(word, mask);
        }
    }

    private void or(long word, long mask) {
        int index = (int) (word / PIECE_WORDS);
        long[] piece = pieces.get(index);
        if (piece == null) {
            pieces.compareAndSet(index, null, new long[PIECE_WORDS]);
            piece = pieces.get(index);
        }
        int at = (int) (word % PIECE_WORDS);
        // Looked at first: a disk that is written again and again costs no shared writes.
        if (((long) WORDS.getOpaque(piece, at) & mask) != mask) {
            WORDS.getAndBitwiseOr(piece, at, mask);
        }
    }

    private long word(long word) {
        int index = (int) (word / PIECE_WORDS);
        long[] piece = index < pieces.length() ? pieces.get(index) : null;
        return piece == null ? 0 : piece[(int) (word % PIECE_WORDS)];
    }

    void clear() {
        pieces = new AtomicReferenceArray<>(pieceCount());
    }

    void setAll() {
        if (size() > 0) {
            setBits(0, size() - 1);
        }
    }

    /** QC-BM-22: follows a disk that has another length now. */
    void resize(long newDiskSize) {
        diskSize = newDiskSize;
        AtomicReferenceArray<long[]> kept = new AtomicReferenceArray<>(pieceCount());
        for (int i = 0; i < Math.min(kept.length(), pieces.length()); i++) {
            kept.set(i, pieces.get(i));
        }
        pieces = kept;
        trim();
    }

    /** QC-BM-18: clears what stands for nothing on the disk. */
    private void trim() {
        long end = size();
        if (pieces.length() == 0) {
            return;
        }
        long[] last = pieces.get(pieces.length() - 1);
        for (long bit = end; last != null && bit < (long) pieces.length() * PIECE_BITS; ) {
            int at = (int) ((bit >>> 6) % PIECE_WORDS);
            last[at] &= (bit & 63) == 0 ? 0 : -1L >>> (64 - (bit & 63));
            bit = ((bit >>> 6) + 1) << 6;
        }
    }

    /** Takes bits from the file, from a multiple of 64 on (QC-BM-17). */
    void load(long firstBit, ByteBuffer bytes) {
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        for (long word = firstBit >>> 6; bytes.remaining() >= 8 && word << 6 < size(); word++) {
            long bits = bytes.getLong();
            if (bits != 0) {
                or(word, bits);
            }
        }
        trim();
    }

    /** Fills a buffer with the bits from a multiple of 64 on; says whether any is set. */
    boolean store(long firstBit, ByteBuffer bytes) {
        bytes.clear().order(ByteOrder.LITTLE_ENDIAN);
        boolean any = false;
        for (long word = firstBit >>> 6; bytes.hasRemaining(); word++) {
            long bits = word(word);
            any |= bits != 0;
            bytes.putLong(bits);
        }
        bytes.flip();
        return any;
    }

    /** The dirty ranges of the disk. */
    List<Dirty> dirty() {
        List<Dirty> ranges = new ArrayList<>();
        long start = -1;
        for (long bit = 0; bit < size(); bit++) {
            long bits = word(bit >>> 6);
            if (start < 0 && bits == 0) {
                bit |= pieces.get((int) (bit / PIECE_BITS)) == null ? PIECE_BITS - 1 : 63;
                continue;
            }
            boolean set = (bits >>> bit & 1) != 0;
            if (set && start < 0) {
                start = bit;
            } else if (!set && start >= 0) {
                ranges.add(range(start, bit));
                start = -1;
            }
        }
        if (start >= 0) {
            ranges.add(range(start, size()));
        }
        return List.copyOf(ranges);
    }

    private Dirty range(long first, long end) {
        long offset = first << granularityBits;
        return new Dirty(offset, Math.min(diskSize, end << granularityBits) - offset);
    }

    /** Says whether every bit of a range is clear, without looking at each. */
    boolean isClear(long firstBit, long count) {
        for (long word = firstBit >>> 6; word < (firstBit + count + 63) >>> 6; word++) {
            int index = (int) (word / PIECE_WORDS);
            if (index >= pieces.length() || pieces.get(index) == null) {
                word |= PIECE_WORDS - 1;
            } else if (word(word) != 0) {
                return false;
            }
        }
        return true;
    }
}
