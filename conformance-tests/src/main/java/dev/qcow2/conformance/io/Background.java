package dev.qcow2.conformance.io;

import java.util.ArrayDeque;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

/**
 * Requests in the background: each has a thread of its own, so all run at the same time. Results are told in the order of submission, and
 * only while the user's thread waits or finishes a command: then a script sees the same text each time.
 */
final class Background {

    private final IoOutput output;
    private final ExecutorService workers;
    private final ArrayDeque<Future<String>> requests = new ArrayDeque<>();
    private boolean idle;

    Background(IoOutput output) {
        this.output = output;
        this.workers = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "request");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Starts a request; what it returns is the text of its result. */
    void submit(Callable<String> request) {
        FutureTask<String> task = new FutureTask<>(request) {
            @Override
            protected void done() {
                tellIfIdle();
            }
        };
        synchronized (requests) {
            requests.add(task);
        }
        workers.execute(task);
    }

    private void tellIfIdle() {
        synchronized (requests) {
            if (idle) {
                tellFinished();
            }
        }
    }

    /** Says whether the user's thread waits; while it does, results are told as soon as they are there. */
    void setIdle(boolean nowIdle) {
        synchronized (requests) {
            idle = nowIdle;
            tellFinished();
        }
    }

    /** Tells the results of all finished requests in front of the first that is not. */
    void tellFinished() {
        synchronized (requests) {
            while (!requests.isEmpty() && requests.element().isDone()) {
                tell(requests.remove());
            }
        }
    }

    /** Waits for all requests and tells their results. */
    void finish() {
        synchronized (requests) {
            while (!requests.isEmpty()) {
                tell(requests.remove());
            }
        }
    }

    private void tell(Future<String> request) {
        try {
            output.print(request.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a request in the background failed", e.getCause());
        }
    }
}
