package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps a journal of every change that reached the file, in the order in which it did, so that the
 * states which a power cut could leave behind can be built from it.
 */
public final class RecordingHostFile extends ForwardingHostFile {

    private final List<HostEvent> events = new ArrayList<>();

    /**
     * Wraps a file.
     *
     * @param target where requests go
     */
    public RecordingHostFile(HostFile target) {
        super(target);
    }

    /**
     * Returns the journal so far.
     *
     * @return an immutable copy, oldest event first
     */
    public synchronized List<HostEvent> events() {
        return List.copyOf(events);
    }

    // Each change holds the monitor until it is recorded: the journal's order is the file's order.

    @Override
    public synchronized void write(long hostOffset, ByteBuffer from) throws DiskException {
        byte[] data = new byte[from.remaining()];
        from.duplicate().get(data);
        super.write(hostOffset, from);
        events.add(HostEvent.write(hostOffset, data));
    }

    @Override
    public synchronized boolean zero(long hostOffset, long length) throws DiskException {
        boolean done = super.zero(hostOffset, length);
        if (done) {
            events.add(HostEvent.of(HostEvent.Kind.ZERO, hostOffset, length));
        }
        return done;
    }

    @Override
    public synchronized boolean punchHole(long hostOffset, long length) throws DiskException {
        boolean done = super.punchHole(hostOffset, length);
        if (done) {
            events.add(HostEvent.of(HostEvent.Kind.PUNCH_HOLE, hostOffset, length));
        }
        return done;
    }

    @Override
    public synchronized void truncate(long size) throws DiskException {
        super.truncate(size);
        events.add(HostEvent.of(HostEvent.Kind.TRUNCATE, size, 0));
    }

    @Override
    public synchronized void flush() throws DiskException {
        super.flush();
        events.add(HostEvent.of(HostEvent.Kind.FLUSH, 0, 0));
    }
}
