package dev.qcow2.optimized;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which ranges of the disk are in use by requests. A request claims its whole range at one moment or waits with nothing
 * claimed, so no two can wait for each other. Ranges that do not overlap never wait.
 *
 * <p>A change excludes every other request from its range, a read only changes. An allocating write, a discard and the
 * like claim whole clusters. So nobody reads or writes a host cluster while its guest cluster is being mapped elsewhere,
 * and when a dropped cluster is freed nobody is left who uses it.
 *
 * <p>A request whose range is the whole disk (a snapshot, closing) is let in before those that come after it.
 */
final class InFlightRequests {

    private final ReentrantLock metadata;
    private final Condition someLeft;
    private final AtomicInteger waiting = new AtomicInteger();
    private Request[] requests = new Request[0];
    private int exclusiveWaiting;

    InFlightRequests(ReentrantLock metadata) {
        this.metadata = metadata;
        this.someLeft = metadata.newCondition();
    }

    /** Says whether a range is free at the moment; the metadata lock is held. */
    boolean isFree(long first, long end, boolean changes) {
        if (exclusiveWaiting > 0) {
            return false;
        }
        return noConflict(first, end, changes);
    }

    /** Claims a range that is free; the metadata lock is held. */
    Request claim(long first, long end, boolean changes) {
        Request request = idle();
        request.first = first;
        request.end = end;
        request.changes = changes;
        request.active = true;
        return request;
    }

    /** Waits until a range is free; the metadata lock is held, and given up while waiting. */
    void awaitFree(long first, long end, boolean changes) {
        if (isFree(first, end, changes)) {
            return;
        }
        waiting.incrementAndGet();
        try {
            // Asked again after the announcement: whoever leaves from now on sees it, and wakes us.
            while (!isFree(first, end, changes)) {
                someLeft.awaitUninterruptibly();
            }
        } finally {
            waiting.decrementAndGet();
        }
    }

    /** Claims the whole disk; the metadata lock is held. */
    Request claimAll() {
        exclusiveWaiting++;
        waiting.incrementAndGet();
        try {
            while (!noConflict(0, Long.MAX_VALUE, true)) {
                someLeft.awaitUninterruptibly();
            }
            return claim(0, Long.MAX_VALUE, true);
        } finally {
            waiting.decrementAndGet();
            exclusiveWaiting--;
            someLeft.signalAll();
        }
    }

    /** Ends a request; the metadata lock need not be held. */
    void leave(Request request) {
        request.active = false;
        if (waiting.get() > 0) {
            metadata.lock();
            try {
                someLeft.signalAll();
            } finally {
                metadata.unlock();
            }
        }
    }

    private boolean noConflict(long first, long end, boolean changes) {
        for (Request request : requests) {
            if (request.conflictsWith(first, end, changes)) {
                return false;
            }
        }
        return true;
    }

    private Request idle() {
        for (Request request : requests) {
            if (!request.active) {
                return request;
            }
        }
        int old = requests.length;
        requests = Arrays.copyOf(requests, Math.max(4, old * 2));
        for (int i = old; i < requests.length; i++) {
            requests[i] = new Request();
        }
        return requests[old];
    }
}
