package dev.qcow2.conformance.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/** Sends the requests of a workload, as many at a time as it says, and measures how long they take. */
final class RequestLoop {

    /** Carries out one request. */
    @FunctionalInterface
    interface Request {
        void send(long guestOffset, ByteBuffer buffer) throws IOException;
    }

    private static final int ALIGNMENT = 4096;

    private RequestLoop() {}

    /** Returns the wall time in seconds. */
    static double run(Workload workload, Request request) throws IOException {
        return workload.inFlight() == 1 ? alone(workload, request) : together(workload, request);
    }

    private static double alone(Workload workload, Request request) throws IOException {
        ByteBuffer buffer = payload(workload);
        long start = System.nanoTime();
        for (int i = 0; i < workload.requests(); i++) {
            request.send(workload.offsetOf(i), buffer.clear());
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static double together(Workload workload, Request request) throws IOException {
        AtomicLong next = new AtomicLong();
        Callable<Void> sender = () -> {
            ByteBuffer buffer = payload(workload);
            for (long i = next.getAndIncrement(); i < workload.requests(); i = next.getAndIncrement()) {
                request.send(workload.offsetOf(i), buffer.clear());
            }
            return null;
        };
        ExecutorService senders = Executors.newFixedThreadPool(workload.inFlight());
        try {
            long start = System.nanoTime();
            List<Future<Void>> running = new ArrayList<>();
            for (int i = 0; i < workload.inFlight(); i++) {
                running.add(senders.submit(sender));
            }
            for (Future<Void> sent : running) {
                sent.get();
            }
            return (System.nanoTime() - start) / 1e9;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException e) {
            throw new IOException("a request failed: " + e.getCause(), e.getCause());
        } finally {
            senders.shutdownNow();
        }
    }

    private static ByteBuffer payload(Workload workload) {
        // Direct I/O takes aligned memory only; QEMU aligns its own.
        ByteBuffer buffer = ByteBuffer.allocateDirect(workload.requestSize() + ALIGNMENT)
                .alignedSlice(ALIGNMENT)
                .slice(0, workload.requestSize());
        while (buffer.hasRemaining()) {
            buffer.put((byte) 0xa5);
        }
        return buffer;
    }
}
