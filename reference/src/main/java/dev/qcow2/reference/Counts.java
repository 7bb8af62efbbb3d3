package dev.qcow2.reference;

import java.nio.ByteBuffer;

/**
 * How reference counts stand in a refcount block, or in a part of one that starts at a byte.
 *
 * <pre>
 * refcount_order  bits  place p stands in                                              clause
 *              0     1  byte p / 8, bit p % 8 from the least significant one           QC-REF-08
 *              1     2  byte p / 4, bits 2 * (p % 4) and up                            QC-REF-08
 *              2     4  byte p / 2, bits 4 * (p % 2) and up                            QC-REF-08
 *         3 to 6  8-64  bytes p * bits / 8 and up, most significant first              QC-HDR-03
 * </pre>
 */
final class Counts {

    private Counts() {}

    /** Bytes that must be read to know one count. */
    static int bytesPerCount(int order) {
        return order <= 3 ? 1 : 1 << (order - 3);
    }

    /** The first byte of a count in its block. */
    static int byteOf(int place, int order) {
        return order <= 3 ? place >> (3 - order) : place << (order - 3);
    }

    /** A place relative to the byte that {@link #byteOf} names. */
    static int placeInByte(int place, int order) {
        return order < 3 ? place & ((1 << (3 - order)) - 1) : 0;
    }

    /** Reads a count; one of 2^63 or more comes out negative. */
    static long get(ByteBuffer bytes, int place, int order) {
        int at = byteOf(place, order);
        return switch (order) {
            case 0, 1, 2 -> (bytes.get(at) >> shift(place, order)) & mask(order);
            case 3 -> bytes.get(at) & 0xffL;
            case 4 -> bytes.getShort(at) & 0xffffL;
            case 5 -> bytes.getInt(at) & 0xffff_ffffL;
            default -> bytes.getLong(at);
        };
    }

    /** Writes a count that fits. */
    static void put(ByteBuffer bytes, int place, int order, long count) {
        int at = byteOf(place, order);
        switch (order) {
            case 0, 1, 2 -> {
                int others = bytes.get(at) & ~(mask(order) << shift(place, order));
                bytes.put(at, (byte) (others | (int) count << shift(place, order)));
            }
            case 3 -> bytes.put(at, (byte) count);
            case 4 -> bytes.putShort(at, (short) count);
            case 5 -> bytes.putInt(at, (int) count);
            default -> bytes.putLong(at, count);
        }
    }

    private static int shift(int place, int order) {
        return placeInByte(place, order) << order;
    }

    private static int mask(int order) {
        return (1 << (1 << order)) - 1;
    }
}
