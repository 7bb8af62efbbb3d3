package dev.qcow2.optimized;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Iterator;

/** Buffers for copies, kept for the next copy. They live outside the heap, where host writes need no further copy. */
final class CopyBuffers {

    private static final int KEPT = 4;
    private static final int LARGEST_KEPT = 4 << 20;

    private final ArrayDeque<ByteBuffer> idle = new ArrayDeque<>();

    /** Returns an empty buffer with at least so much room. */
    synchronized ByteBuffer take(int length) {
        for (Iterator<ByteBuffer> all = idle.iterator(); all.hasNext(); ) {
            ByteBuffer buffer = all.next();
            if (buffer.capacity() >= length) {
                all.remove();
                return buffer.clear();
            }
        }
        return ByteBuffer.allocateDirect(Math.max(1 << 12, Integer.highestOneBit(Math.max(2, length) - 1) << 1));
    }

    /** Takes a buffer back. */
    synchronized void giveBack(ByteBuffer buffer) {
        if (idle.size() < KEPT && buffer.capacity() <= LARGEST_KEPT) {
            idle.addFirst(buffer);
        }
    }
}
