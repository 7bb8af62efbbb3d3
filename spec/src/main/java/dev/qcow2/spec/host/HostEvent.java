package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/** One change of a host file, as {@link RecordingHostFile} saw it. Immutable. */
public final class HostEvent {

    /** What was done to the file. */
    public enum Kind {
        /** Bytes were written. */
        WRITE,
        /** A range was made to read as zero; the file grew if it had to. */
        ZERO,
        /** A range was given back to the host; the length stayed. */
        PUNCH_HOLE,
        /** The length was set. */
        TRUNCATE,
        /** Everything before this event is safe. */
        FLUSH
    }

    private final Kind kind;
    private final long hostOffset;
    private final long length;
    private final byte[] data;

    private HostEvent(Kind kind, long hostOffset, long length, byte[] data) {
        this.kind = kind;
        this.hostOffset = hostOffset;
        this.length = length;
        this.data = data;
    }

    static HostEvent write(long hostOffset, byte[] data) {
        return new HostEvent(Kind.WRITE, hostOffset, data.length, data);
    }

    static HostEvent of(Kind kind, long hostOffset, long length) {
        return new HostEvent(kind, hostOffset, length, new byte[0]);
    }

    /**
     * Returns what was done.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Returns where.
     *
     * @return the first byte that changed; for {@link Kind#TRUNCATE} the new length of the file
     */
    public long hostOffset() {
        return hostOffset;
    }

    /**
     * Returns how much.
     *
     * @return bytes; 0 for {@link Kind#TRUNCATE} and {@link Kind#FLUSH}
     */
    public long length() {
        return length;
    }

    /**
     * Returns what was written.
     *
     * @return a read-only view; empty unless this is a {@link Kind#WRITE}
     */
    public ByteBuffer data() {
        return ByteBuffer.wrap(data).asReadOnlyBuffer();
    }

    /**
     * Does the same to another file.
     *
     * @param file the file to change
     * @throws DiskException if that file refuses
     */
    public void applyTo(HostFile file) throws DiskException {
        switch (kind) {
            case WRITE -> file.write(hostOffset, data());
            case ZERO -> file.zero(hostOffset, length);
            case PUNCH_HOLE -> file.punchHole(hostOffset, length);
            case TRUNCATE -> file.truncate(hostOffset);
            case FLUSH -> file.flush();
        }
    }

    @Override
    public String toString() {
        return kind + " at " + hostOffset + " length " + length;
    }
}
