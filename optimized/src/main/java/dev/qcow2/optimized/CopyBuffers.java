package dev.qcow2.optimized;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Buffers for copies, kept for the next copy. They live outside the heap, where host writes need no further copy. */
final class CopyBuffers {

    /** Enough for the copies of many requests in flight: a new buffer costs more than a small copy. */
    private static final long MOST_KEPT_BYTES = 16L << 20;

    private final List<ByteBuffer> idle = new ArrayList<>();
    private long idleBytes;

    /** Returns an empty buffer with at least so much room. */
    synchronized ByteBuffer take(int length) {
        // The latest one first: its bytes are still in the processor's cache.
        for (int i = idle.size() - 1; i >= 0; i--) {
            ByteBuffer buffer = idle.get(i);
            if (buffer.capacity() >= length) {
                idle.remove(i);
                idleBytes -= buffer.capacity();
                return buffer.clear();
            }
        }
        return ByteBuffer.allocateDirect(Math.max(1 << 12, Integer.highestOneBit(Math.max(2, length) - 1) << 1));
    }

    /** Takes a buffer back. */
    synchronized void giveBack(ByteBuffer buffer) {
        if (idleBytes + buffer.capacity() <= MOST_KEPT_BYTES) {
            idleBytes += buffer.capacity();
            idle.add(buffer);
        }
    }
}
