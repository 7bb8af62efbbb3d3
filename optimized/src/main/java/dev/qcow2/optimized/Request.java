package dev.qcow2.optimized;

/** A request in flight, with the scratch that it needs; reused, so that a request makes no objects. */
final class Request {

    /** First byte of the disk that it claims. */
    long first;

    /** First byte after what it claims. */
    long end;

    /** It changes the range, so no other request may have any of it. */
    boolean changes;

    /** Whether it is under way. Cleared without the lock, hence volatile; all else changes under the lock only. */
    volatile boolean active;

    final Run run = new Run();

    final Allocation allocation = new Allocation();

    boolean conflictsWith(long otherFirst, long otherEnd, boolean otherChanges) {
        return active && (changes || otherChanges) && first < otherEnd && otherFirst < end;
    }
}
