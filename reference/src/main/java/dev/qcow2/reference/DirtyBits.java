package dev.qcow2.reference;

import dev.qcow2.spec.disk.Bitmaps.Dirty;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** The bits of one bitmap in memory: which parts of the disk are dirty. */
final class DirtyBits {

    private final int granularityBits;
    private final BitSet bits = new BitSet();
    private long diskSize;

    DirtyBits(int granularityBits, long diskSize) {
        this.granularityBits = granularityBits;
        this.diskSize = diskSize;
    }

    /** Bits that a disk needs. */
    static long bitsFor(long diskSize, int granularityBits) {
        return diskSize == 0 ? 0 : ((diskSize - 1) >>> granularityBits) + 1;
    }

    private int count() {
        return Math.toIntExact(bitsFor(diskSize, granularityBits));
    }

    /** Takes the bits of one cluster of the stored bitmap: bit 0 of byte 0 comes first (QC-BM-17). */
    void load(long firstBit, ByteBuffer bytes) {
        BitSet part = BitSet.valueOf(bytes);
        for (int i = part.nextSetBit(0); i >= 0; i = part.nextSetBit(i + 1)) {
            setBit(firstBit + i);
        }
    }

    void loadOnes(long firstBit, long length) {
        bits.set((int) Math.min(firstBit, count()), (int) Math.min(firstBit + length, count()));
    }

    private void setBit(long bit) {
        if (bit < count()) {
            bits.set((int) bit);
        }
    }

    /** The bits of one cluster; what stands for nothing on the disk is zero (QC-BM-18). */
    ByteBuffer store(long firstBit, int bytes) {
        ByteBuffer cluster = ByteBuffer.allocate(bytes);
        int end = (int) Math.min(firstBit + bytes * 8L, count());
        return cluster.put(
                        bits.get((int) firstBit, Math.max((int) firstBit, end)).toByteArray())
                .rewind();
    }

    /** Whether each bit of a cluster that stands for a part of the disk is set, and none stands for nothing. */
    boolean allOnes(long firstBit, long length) {
        return firstBit + length <= count() && bits.nextClearBit((int) firstBit) >= firstBit + length;
    }

    /** Rounded outwards (QC-BM-19). */
    void mark(long offset, long length) {
        if (length > 0) {
            bits.set((int) (offset >>> granularityBits), (int) ((offset + length - 1) >>> granularityBits) + 1);
        }
    }

    void markAll() {
        bits.set(0, count());
    }

    void clear() {
        bits.clear();
    }

    /** QC-BM-22: what lies behind a lower end is forgotten, a new part is clean. */
    void resize(long newSize) {
        diskSize = newSize;
        bits.clear(count(), Math.max(count(), bits.length()));
    }

    /** QC-BM-28. */
    void merge(DirtyBits from) {
        from.ranges().forEach(range -> mark(range.guestOffset(), range.length()));
    }

    List<Dirty> ranges() {
        List<Dirty> ranges = new ArrayList<>();
        for (int from = bits.nextSetBit(0); from >= 0; ) {
            int to = bits.nextClearBit(from);
            long start = (long) from << granularityBits;
            ranges.add(new Dirty(start, Math.min(diskSize, (long) to << granularityBits) - start));
            from = bits.nextSetBit(to);
        }
        return List.copyOf(ranges);
    }
}
