package dev.qcow2.conformance.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The answers of one connection on their way out. Whoever has one ready puts it here; the first who finds nobody writing writes, and goes on
 * until there is nothing left. So at most one thread waits for a client that takes its time, and answers that are ready together leave
 * together.
 */
final class AnswerQueue {

    @SuppressWarnings("ArrayRecordComponent") // as a gathering write wants it
    private record Ready(ByteBuffer[] buffers, Runnable afterwards) {}

    private static final int MOST_AT_ONCE = 64;

    private final Wire wire;
    private final Deque<Ready> waiting = new ArrayDeque<>();
    private boolean writing;
    private boolean broken;
    private volatile long stalledSinceNanos;
    private volatile boolean inWrite;

    AnswerQueue(Wire wire) {
        this.wire = wire;
    }

    /**
     * Sends an answer, now or soon. If the client is gone, it is dropped.
     *
     * @param buffers what is sent
     * @param afterwards runs when the buffers are not needed any more
     */
    void send(ByteBuffer[] buffers, Runnable afterwards) {
        synchronized (this) {
            waiting.addLast(new Ready(buffers, afterwards));
            if (writing) {
                return;
            }
            writing = true;
        }
        for (List<Ready> batch = next(); !batch.isEmpty(); batch = next()) {
            write(batch);
        }
    }

    private synchronized List<Ready> next() {
        List<Ready> batch = new ArrayList<>();
        while (batch.size() < MOST_AT_ONCE && !waiting.isEmpty()) {
            batch.add(waiting.removeFirst());
        }
        writing = !batch.isEmpty();
        return batch;
    }

    private void write(List<Ready> batch) {
        try {
            if (!broken) {
                stalledSinceNanos = System.nanoTime();
                inWrite = true;
                wire.write(batch.stream()
                        .flatMap(ready -> List.of(ready.buffers()).stream())
                        .toArray(ByteBuffer[]::new));
            }
        } catch (IOException e) {
            // The reader of the connection notices too, and says so.
            broken = true;
        } finally {
            inWrite = false;
            batch.forEach(ready -> ready.afterwards().run());
        }
    }

    /** How long the client has not taken what is being sent; 0 if nothing is. */
    long stalledNanos() {
        return inWrite ? System.nanoTime() - stalledSinceNanos : 0;
    }
}
