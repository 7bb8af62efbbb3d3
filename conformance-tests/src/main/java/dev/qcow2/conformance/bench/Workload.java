package dev.qcow2.conformance.bench;

/**
 * What is asked of a disk: {@code requests} requests of one kind, the i-th at guest offset
 * {@code i * step} modulo the disk's size. That is the pattern which {@code qemu-img bench} knows, so
 * every contender gets the same offsets; a step of about 0.6 times the disk scatters them.
 *
 * @param name stable name in reports
 * @param kind what each request does
 * @param preparation the image that the requests meet
 * @param diskSize bytes of the virtual disk
 * @param requestSize bytes per request
 * @param step bytes from one request's offset to the next one's
 * @param requests how many requests are measured
 * @param inFlight how many of them are under way at the same time
 */
public record Workload(
        String name,
        Kind kind,
        Preparation preparation,
        long diskSize,
        int requestSize,
        long step,
        int requests,
        int inFlight) {

    /** What a request does. */
    public enum Kind {
        /** Writes a pattern. */
        WRITE(true),
        /** Reads, with the file in the page cache. */
        READ(false),
        /** Reads, with the file dropped from the page cache first. */
        READ_COLD(false),
        /** Discards. */
        DISCARD(true),
        /** Recounts every reference of the whole image; one request is one cluster. */
        AUDIT(false),
        /** Asks for the block status of the whole disk; one request is one cluster. */
        STATUS(false),
        /** Opens and closes the image. */
        OPEN(false),
        /** Reads and writes scattered over the disk, in a JVM whose heap is bounded. */
        HEAP(true);

        private final boolean changes;

        Kind(boolean changes) {
            this.changes = changes;
        }

        /**
         * Says whether requests of this kind change the image.
         *
         * @return true if the image must be writable
         */
        public boolean changes() {
            return changes;
        }
    }

    /**
     * Returns where a request is.
     *
     * @param index number of the request, from 0
     * @return guest offset in bytes
     */
    public long offsetOf(long index) {
        return index * step % diskSize;
    }

    /**
     * Returns how much guest data the workload moves.
     *
     * @return bytes
     */
    public long guestBytes() {
        return (long) requests * requestSize;
    }
}
