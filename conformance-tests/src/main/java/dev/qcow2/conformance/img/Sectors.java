package dev.qcow2.conformance.img;

import java.nio.ByteBuffer;

/** Sectors of 512 bytes, the unit in which tools look for zeros and differences. */
final class Sectors {

    /** Bytes of a sector. */
    static final int BYTES = 512;

    private static final int ZEROS_BYTES = 1 << 16;

    private Sectors() {}

    /** Rounds down to whole sectors. */
    static long floor(long offset) {
        return offset / BYTES * BYTES;
    }

    /** Rounds up to whole sectors. */
    static long ceiling(long offset) {
        return (offset + BYTES - 1) / BYTES * BYTES;
    }

    /** Fills a buffer with zeros up to its limit. */
    static void putZeros(ByteBuffer into) {
        byte[] zeros = new byte[Math.min(ZEROS_BYTES, into.remaining())];
        while (into.hasRemaining()) {
            into.put(zeros, 0, Math.min(zeros.length, into.remaining()));
        }
    }

    /** Says whether a part of a buffer is all zero. */
    static boolean isZero(ByteBuffer bytes, int from, int to) {
        int at = from;
        while (at + Long.BYTES <= to) {
            if (bytes.getLong(at) != 0) {
                return false;
            }
            at += Long.BYTES;
        }
        while (at < to) {
            if (bytes.get(at++) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Finds the start of the first sector that is not all zero; -1 if there is none. */
    static int firstData(ByteBuffer bytes) {
        for (int at = 0; at < bytes.limit(); at += BYTES) {
            if (!isZero(bytes, at, Math.min(at + BYTES, bytes.limit()))) {
                return at;
            }
        }
        return -1;
    }
}
