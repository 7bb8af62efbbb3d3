package dev.qcow2.optimized;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Reference counts of 1 to 64 bits inside the bytes of a refcount block. Counts are unsigned. */
final class RefcountBits {

    private static final VarHandle SHORTS = view(short[].class);
    private static final VarHandle INTS = view(int[].class);
    private static final VarHandle LONGS = view(long[].class);

    private RefcountBits() {}

    private static VarHandle view(Class<?> arrayType) {
        // QC-HDR-03
        return MethodHandles.byteArrayViewVarHandle(arrayType, ByteOrder.BIG_ENDIAN);
    }

    /** The largest count that a width of {@code 1 << order} bits can hold; -1 stands for 2^64 - 1. */
    static long maximum(int order) {
        return order == 6 ? -1L : (1L << (1 << order)) - 1;
    }

    static long get(byte[] block, int index, int order) {
        return switch (order) {
            case 3 -> block[index] & 0xffL;
            case 4 -> (short) SHORTS.get(block, index << 1) & 0xffffL;
            case 5 -> (int) INTS.get(block, index << 2) & 0xffff_ffffL;
            case 6 -> (long) LONGS.get(block, index << 3);
            default -> (block[byteOf(index, order)] >>> shiftOf(index, order)) & maximum(order);
        };
    }

    static void set(byte[] block, int index, int order, long count) {
        switch (order) {
            case 3 -> block[index] = (byte) count;
            case 4 -> SHORTS.set(block, index << 1, (short) count);
            case 5 -> INTS.set(block, index << 2, (int) count);
            case 6 -> LONGS.set(block, index << 3, count);
            default -> setInByte(block, index, order, count);
        }
    }

    private static void setInByte(byte[] block, int index, int order, long count) {
        int at = byteOf(index, order);
        int shift = shiftOf(index, order);
        long mask = maximum(order) << shift;
        block[at] = (byte) ((block[at] & ~mask) | (count << shift));
    }

    private static int byteOf(int index, int order) {
        return index >>> (3 - order);
    }

    private static int shiftOf(int index, int order) {
        // QC-REF-08: the first count of a byte is in its least significant bits.
        return (index & ((1 << (3 - order)) - 1)) << order;
    }
}
