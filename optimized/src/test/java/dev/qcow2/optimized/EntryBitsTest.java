package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The bit functions against the text of the format. */
class EntryBitsTest {

    @Test
    @DisplayName("QC-L2-02, QC-L2-06, QC-L2-07, QC-L2-09: the five kinds of clusters")
    void kinds() {
        assertThat(EntryBits.kind(0)).isEqualTo(ClusterKind.UNALLOCATED);
        assertThat(EntryBits.kind(1)).isEqualTo(ClusterKind.ZERO_PLAIN);
        assertThat(EntryBits.kind(0x8000_0000_0005_0001L)).isEqualTo(ClusterKind.ZERO_ALLOCATED);
        assertThat(EntryBits.kind(0x8000_0000_0005_0000L)).isEqualTo(ClusterKind.NORMAL);
        assertThat(EntryBits.kind(0x0000_0000_0005_0000L)).isEqualTo(ClusterKind.NORMAL);
        assertThat(EntryBits.kind(0x4000_0000_0005_0001L)).isEqualTo(ClusterKind.COMPRESSED);
    }

    @Test
    @DisplayName("QC-REF-02: only a cluster that is shown and not shared is written in place")
    void inPlace() {
        assertThat(EntryBits.writableInPlace(0x8000_0000_0005_0000L)).isTrue();
        assertThat(EntryBits.writableInPlace(0x0000_0000_0005_0000L)).isFalse();
        assertThat(EntryBits.writableInPlace(0x8000_0000_0005_0001L)).isFalse();
        assertThat(EntryBits.writableInPlace(0xc000_0000_0005_0000L)).isFalse();
        // QC-L2-06, QC-DATA-02: the flag alone names a cluster at offset 0 in a data file, and nothing anywhere else.
        assertThat(EntryBits.meant(0x8000_0000_0000_0000L, false)).isZero();
        assertThat(EntryBits.writableInPlace(EntryBits.meant(0x8000_0000_0000_0000L, true)))
                .isTrue();
        assertThat(EntryBits.ownsHiddenCluster(0x8000_0000_0005_0001L)).isTrue();
        assertThat(EntryBits.ownsHiddenCluster(0x0000_0000_0005_0001L)).isFalse();
        assertThat(EntryBits.ownsHiddenCluster(0x8000_0000_0005_0000L)).isFalse();
        assertThat(EntryBits.ownsHiddenCluster(1)).isFalse();
    }

    @Property
    @Label("QC-L1-01, QC-L1-02, QC-L2-04, QC-L2-05: each bit is in exactly one field")
    void everyBitHasAPlace(@ForAll @IntRange(max = 63) int bit) {
        long entry = 1L << bit;
        boolean inOffset = bit >= 9 && bit <= 55;
        assertThat(EntryBits.offset(entry) != 0).isEqualTo(inOffset);
        assertThat(EntryBits.l1ReservedSet(entry)).isEqualTo(!inOffset && bit != 63);
        assertThat(EntryBits.l2ReservedSet(entry)).isEqualTo(!inOffset && bit != 63 && bit != 62 && bit != 0);
        assertThat(EntryBits.refcountTableReservedSet(entry)).isEqualTo(bit < 9);
    }

    @Property
    @Label("QC-REF-07, QC-REF-08, QC-HDR-03: counts of each width, against the bits of the block as one number")
    void refcounts(
            @ForAll @IntRange(max = 6) int order,
            @ForAll @IntRange(max = 63) int index,
            @ForAll long value,
            @ForAll byte[] noise) {
        byte[] block = new byte[512];
        System.arraycopy(noise, 0, block, 0, Math.min(noise.length, block.length));
        byte[] before = block.clone();
        int width = 1 << order;
        BigInteger mask = BigInteger.ONE.shiftLeft(width).subtract(BigInteger.ONE);
        BigInteger count = BigInteger.valueOf(value).and(mask);
        RefcountBits.set(block, index, order, count.longValue());
        assertThat(RefcountBits.get(block, index, order)).isEqualTo(count.longValue());
        assertThat(plain(block, index, width)).isEqualTo(count);
        assertThat(RefcountBits.maximum(order)).isEqualTo(mask.longValue());
        for (int other = 0; other < 64; other++) {
            if (other != index) {
                assertThat(plain(block, other, width)).isEqualTo(plain(before, other, width));
            }
        }
    }

    /** Slow and obvious: bytes most significant first, narrow counts from the least significant bit of a byte. */
    private static BigInteger plain(byte[] block, int index, int width) {
        if (width >= 8) {
            int bytes = width / 8;
            return new BigInteger(1, block, index * bytes, bytes);
        }
        int bit = index * width;
        int shifted = (block[bit / 8] & 0xff) >> (bit % 8);
        return BigInteger.valueOf(shifted & ((1 << width) - 1));
    }
}
