package dev.qcow2.conformance.img;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Keeps a number of requests in flight until all are done. */
final class RequestBench {

    private static final double NANOS = 1e9;

    /**
     * What is sent.
     *
     * @param count requests
     * @param depth requests at a time
     * @param bufferSize bytes of each
     * @param step bytes from one to the next
     * @param offset where the first begins
     * @param write whether they write
     * @param pattern what they write
     * @param flushes when a flush is sent
     */
    record Settings(
            int count,
            int depth,
            int bufferSize,
            long step,
            long offset,
            boolean write,
            byte pattern,
            Flushes flushes) {}

    /**
     * When a flush is sent.
     *
     * @param interval requests between two flushes; 0 for none
     * @param drain whether a flush waits for those before it, and those behind it for the flush
     */
    record Flushes(int interval, boolean drain) {}

    private final VirtualDisk disk;
    private final Settings settings;
    private final boolean flushEachWrite;
    private final ByteBuffer content;
    private final Queue<ByteBuffer> buffers = new ConcurrentLinkedQueue<>();

    RequestBench(VirtualDisk disk, Settings settings, boolean flushEachWrite) {
        this.disk = disk;
        this.settings = settings;
        this.flushEachWrite = flushEachWrite;
        byte[] bytes = new byte[settings.bufferSize];
        Arrays.fill(bytes, settings.pattern);
        this.content = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    /** Sends all requests and returns the seconds that they took. */
    double run() throws DiskException {
        ExecutorService workers = Executors.newFixedThreadPool(Math.min(settings.depth, Math.max(1, settings.count)));
        try {
            long start = System.nanoTime();
            send(new ExecutorCompletionService<>(workers));
            return (System.nanoTime() - start) / NANOS;
        } finally {
            workers.shutdown();
        }
    }

    private void send(ExecutorCompletionService<Boolean> service) throws DiskException {
        long size = disk.size();
        long at = settings.offset;
        int inFlight = 0;
        for (int sent = 0; sent < settings.count; sent++) {
            while (inFlight >= settings.depth) {
                await(service);
                inFlight--;
            }
            long offset = at;
            service.submit(() -> request(offset));
            inFlight++;
            at = size == 0 ? 0 : (at + settings.step) % size;
            if (settings.flushes.interval > 0 && (sent + 1) % settings.flushes.interval == 0) {
                inFlight = flush(service, inFlight);
            }
        }
        for (; inFlight > 0; inFlight--) {
            await(service);
        }
    }

    /** Sends a flush and returns how many requests are still in flight. */
    private int flush(ExecutorCompletionService<Boolean> service, int inFlight) throws DiskException {
        if (!settings.flushes.drain) {
            service.submit(() -> {
                disk.flush();
                return true;
            });
            return inFlight + 1;
        }
        for (int left = inFlight; left > 0; left--) {
            await(service);
        }
        disk.flush();
        return 0;
    }

    private boolean request(long offset) throws DiskException {
        if (!settings.write) {
            ByteBuffer pooled = buffers.poll();
            ByteBuffer into = pooled == null ? ByteBuffer.allocateDirect(settings.bufferSize) : pooled.clear();
            disk.read(offset, into);
            buffers.add(into);
            return true;
        }
        disk.write(offset, content.duplicate());
        if (flushEachWrite) {
            disk.flush();
        }
        return true;
    }

    private void await(ExecutorCompletionService<Boolean> service) throws DiskException {
        try {
            service.take().get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HostIoException("bench", "interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DiskException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
