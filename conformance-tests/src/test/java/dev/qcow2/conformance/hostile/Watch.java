package dev.qcow2.conformance.hostile;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Runs something in a thread of its own, bounded in time, and says how much memory it asked for. */
public final class Watch implements AutoCloseable {

    private final long seconds;
    private ExecutorService worker = newWorker();
    private long largestAllocation;
    private long longestMillis;

    /**
     * Makes a watch.
     *
     * @param seconds after which a task has hung
     */
    public Watch(long seconds) {
        this.seconds = seconds;
    }

    private static ExecutorService newWorker() {
        return Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "watched");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** What became of a task. */
    public record Outcome<T>(@Nullable T result, @Nullable Throwable failure, long allocatedBytes, long millis) {}

    /** A result and what the thread had allocated for it. */
    private record Measured<T>(@Nullable T result, @Nullable Throwable failure, long bytes) {}

    /**
     * Runs a task to its end or to the limit.
     *
     * @param task what to do
     * @param <T> its result
     * @return its result, or what it threw; a task that hangs yields a {@link TimeoutException}
     */
    public <T> Outcome<T> run(Callable<T> task) {
        long start = System.nanoTime();
        var future = worker.submit(() -> measured(task));
        try {
            Measured<T> measured = future.get(seconds, TimeUnit.SECONDS);
            long millis = (System.nanoTime() - start) / 1_000_000;
            largestAllocation = Math.max(largestAllocation, measured.bytes);
            longestMillis = Math.max(longestMillis, millis);
            return new Outcome<>(measured.result, measured.failure, measured.bytes, millis);
        } catch (TimeoutException e) {
            // The thread may never end: leave it behind and go on with another.
            future.cancel(true);
            worker.shutdownNow();
            worker = newWorker();
            return new Outcome<>(null, e, 0, seconds * 1000);
        } catch (ExecutionException e) {
            return new Outcome<>(null, e.getCause(), 0, 0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @SuppressWarnings("CatchingUnchecked")
    private static <T> Measured<T> measured(Callable<T> task) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            T result = task.call();
            return new Measured<>(result, null, threads.getCurrentThreadAllocatedBytes() - before);
        } catch (Throwable failure) {
            return new Measured<>(null, failure, threads.getCurrentThreadAllocatedBytes() - before);
        }
    }

    /**
     * Returns the most that any task asked for.
     *
     * @return bytes
     */
    public long largestAllocation() {
        return largestAllocation;
    }

    /**
     * Returns the time of the slowest task.
     *
     * @return milliseconds
     */
    public long longestMillis() {
        return longestMillis;
    }

    @Override
    public void close() {
        worker.shutdownNow();
    }
}
