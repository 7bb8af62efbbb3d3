package dev.qcow2.optimized;

import java.nio.ByteBuffer;

/** Zero bytes for buffers. */
final class Zeros {

    private static final byte[] ZEROS = new byte[1 << 14];

    private Zeros() {}

    static void fill(ByteBuffer into, int length) {
        for (int left = length; left > 0; ) {
            int step = Math.min(left, ZEROS.length);
            into.put(ZEROS, 0, step);
            left -= step;
        }
    }
}
