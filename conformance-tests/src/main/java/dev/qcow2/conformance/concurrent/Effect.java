package dev.qcow2.conformance.concurrent;

/**
 * What one finished request did to the disk.
 *
 * @param request the request as a line of a script
 * @param offset first byte that it changed, as an index into the disk
 * @param bytes what it left there
 * @param started when it was sent, on the clock of {@link System#nanoTime()}
 * @param finished when it was answered
 */
@SuppressWarnings("ArrayRecordComponent")
public record Effect(String request, int offset, byte[] bytes, long started, long finished) {

    int end() {
        return offset + bytes.length;
    }

    @Override
    public String toString() {
        return request;
    }
}
