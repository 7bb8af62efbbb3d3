package dev.qcow2.conformance.language;

import java.nio.ByteBuffer;

/**
 * The bytes that a write writes.
 *
 * <p>They come in groups of eight: three bytes of the write's number, four of the group's place in
 * the request, one mark, which alone has its highest bit clear. So a wrong byte names the request that it came from, and data that is
 * shifted inside a request is seen as well. No byte is zero, but for {@link #ZEROS}.
 *
 * <p>Such bytes get smaller when they are compressed. Numbers from {@link #FIRST_NOISE} on stand for bytes that do not.
 */
public final class Fill {

    /** Patterns from this number up to {@link #FIRST_DENSE} look like noise; none of their bytes is zero either. */
    public static final int FIRST_NOISE = 1 << 20;

    /** Patterns from this number on get smaller when they are compressed, but not much: to five eighths. */
    public static final int FIRST_DENSE = 1 << 21;

    /** The pattern of zeros, which are written like any data. */
    public static final int ZEROS = -1;

    private static final int GROUP = 8;
    private static final int MARK = 0x25;
    private static final int NUMBER_BITS = 21;

    private Fill() {}

    /**
     * Returns the bytes of a write.
     *
     * @param fill number of the pattern, below 2^21
     * @param length bytes
     * @return a new array
     */
    public static byte[] bytes(int fill, int length) {
        byte[] bytes = new byte[length];
        write(fill, 0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /**
     * Puts a part of a pattern into a buffer.
     *
     * @param fill number of the pattern
     * @param from index of the first byte in the pattern
     * @param into is filled from its position to its limit
     */
    public static void write(int fill, long from, ByteBuffer into) {
        for (long at = from; into.hasRemaining(); at++) {
            into.put(byteAt(fill, at));
        }
    }

    private static byte byteAt(int fill, long at) {
        if (fill == ZEROS) {
            return 0;
        }
        if (fill >= FIRST_DENSE) {
            return (byte) ('A' + (noiseAt(fill, at) & 31));
        }
        return fill < FIRST_NOISE ? plainByteAt(fill, at) : noiseAt(fill, at);
    }

    /** A finaliser of a hash, which is noise enough for a compressor. */
    private static byte noiseAt(int fill, long at) {
        long mixed = (at + 1) * 0x9E3779B97F4A7C15L ^ (long) fill << 40;
        mixed = (mixed ^ mixed >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return (byte) (1 + Long.remainderUnsigned(mixed ^ mixed >>> 31, 255));
    }

    private static byte plainByteAt(int fill, long at) {
        long group = at / GROUP;
        return switch ((int) (at % GROUP)) {
            case 0 -> (byte) (0x80 | fill);
            case 1 -> (byte) (0x80 | fill >>> 7);
            case 2 -> (byte) (0x80 | fill >>> 14);
            case 3 -> (byte) (0x80 | group);
            case 4 -> (byte) (0x80 | group >>> 7);
            case 5 -> (byte) (0x80 | group >>> 14);
            case 6 -> (byte) (0x80 | group >>> 21);
            default -> (byte) MARK;
        };
    }

    /**
     * Says for a person where a byte came from.
     *
     * @param bytes what was read
     * @param index which byte
     * @return for instance {@code zeros} or {@code byte 520 of write 7}
     */
    public static String describe(byte[] bytes, int index) {
        if (bytes[index] == 0) {
            return "zero";
        }
        for (int start = Math.max(0, index - GROUP + 1); start <= index && start + GROUP <= bytes.length; start++) {
            int fill = number(bytes, start, 3);
            long at = (long) number(bytes, start + 3, 4) * GROUP;
            byte[] group = new byte[GROUP];
            write(fill, at, ByteBuffer.wrap(group));
            if (ByteBuffer.wrap(bytes, start, GROUP).equals(ByteBuffer.wrap(group))) {
                return "byte " + (at + index - start) + " of fill " + fill;
            }
        }
        return String.format("0x%02x", bytes[index]);
    }

    /**
     * Brings a number into the range that a pattern can carry.
     *
     * @param number any number
     * @return from 0 to 2^21 - 1
     */
    public static int clip(int number) {
        return number & ((1 << NUMBER_BITS) - 1);
    }

    private static int number(byte[] bytes, int at, int count) {
        int number = 0;
        for (int i = count - 1; i >= 0; i--) {
            number = (number << 7) | (bytes[at + i] & 0x7f);
        }
        return number;
    }
}
