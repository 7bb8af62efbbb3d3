package dev.qcow2.conformance.nbd;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * The buffers for the payload of requests, of all clients together: who wants more than there is waits, and so does its
 * client. Buffers are used again.
 */
final class Memory {

    /** Less than this and the largest request would wait for ever, or one client for another. */
    static final int LEAST_BYTES = 2 * Limits.MAX_PAYLOAD_BYTES;

    private static final int UNIT_BYTES = 4096;
    private static final int UNIT_BITS = 12;

    private final int units;
    private final Semaphore free;
    private final List<Deque<ByteBuffer>> pools = new ArrayList<>();
    private int pooledUnits;

    /** What one client may hold: the largest request always fits, and a client that takes no answers leaves half to the others. */
    final class Share {
        private final Semaphore mine = new Semaphore(units / 2, true);

        /** Waits until there is room, and returns a buffer whose limit is its length. */
        Lease take(int bytes) {
            int order = orderOf(bytes);
            mine.acquireUninterruptibly(1 << order);
            free.acquireUninterruptibly(1 << order);
            return new Lease(this, buffer(order).clear().limit(bytes), order);
        }
    }

    /** A buffer on loan. */
    final class Lease {
        private final Share share;
        private final ByteBuffer buffer;
        private final int order;

        private Lease(Share share, ByteBuffer buffer, int order) {
            this.share = share;
            this.buffer = buffer;
            this.order = order;
        }

        ByteBuffer buffer() {
            return buffer;
        }

        /** Gives the buffer back; nobody may use it after that. */
        void release() {
            keep(order, buffer);
            free.release(1 << order);
            share.mine.release(1 << order);
        }
    }

    /**
     * Makes the memory of a server.
     *
     * @param bytes that clients can hold together
     */
    Memory(long bytes) {
        units = (int) (Math.max(LEAST_BYTES, bytes) / UNIT_BYTES);
        free = new Semaphore(units, true);
        for (int order = 0; order <= orderOf(Limits.MAX_PAYLOAD_BYTES); order++) {
            pools.add(new ArrayDeque<>());
        }
    }

    /** An eighth of what this machine gives to Java, within bounds. */
    static Memory standard() {
        return new Memory(Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 8));
    }

    Share share() {
        return new Share();
    }

    private static int orderOf(int bytes) {
        int wanted = Math.max(1, (bytes + UNIT_BYTES - 1) >> UNIT_BITS);
        return Integer.SIZE - Integer.numberOfLeadingZeros(wanted - 1);
    }

    private ByteBuffer buffer(int order) {
        synchronized (pools) {
            ByteBuffer pooled = pools.get(order).pollLast();
            if (pooled != null) {
                pooledUnits -= 1 << order;
                return pooled;
            }
        }
        return ByteBuffer.allocateDirect(UNIT_BYTES << order);
    }

    private void keep(int order, ByteBuffer buffer) {
        synchronized (pools) {
            // What is kept for later is bounded too; the lengths that are asked for now are the ones to keep.
            for (int other = pools.size() - 1; other >= 0 && pooledUnits + (1 << order) > units; other--) {
                if (other != order) {
                    pooledUnits -= pools.get(other).size() << other;
                    pools.get(other).clear();
                }
            }
            if (pooledUnits + (1 << order) <= units) {
                pooledUnits += 1 << order;
                pools.get(order).addLast(buffer);
            }
        }
    }
}
