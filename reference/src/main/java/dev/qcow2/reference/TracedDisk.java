package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.ForwardingDisk;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.EventSink;
import dev.qcow2.spec.trace.ImageObserver;
import dev.qcow2.spec.trace.TraceEvent.Done;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Settled;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.nio.ByteBuffer;

/**
 * A disk that tells where requests begin and end; what happens between is told by a {@link PlanTracer}. Requests on guest
 * clusters are told step by step; after all others the image is described anew.
 */
final class TracedDisk extends ForwardingDisk {

    private final HostFile file;
    private final PlanTracer tracer;
    private final EventSink sink;

    /**
     * Surrounds a disk.
     *
     * @param disk does what is asked
     * @param file the image, to describe it
     * @param tracer tells the steps
     * @param sink hears all of it
     */
    TracedDisk(VirtualDisk disk, HostFile file, PlanTracer tracer, EventSink sink) {
        super(disk);
        this.file = file;
        this.tracer = tracer;
        this.sink = sink;
    }

    /** What is done. */
    @FunctionalInterface
    private interface Action {
        void perform() throws DiskException;
    }

    private void tell(Verb verb, long offset, long length, Action action) throws DiskException {
        sink.event(new Request(verb, offset, length, ""));
        action.perform();
        sink.event(new Done());
        // Nothing is postponed here.
        sink.event(new Settled());
    }

    private void describeAfter(Action action) throws DiskException {
        tracer.silence(true);
        try {
            action.perform();
        } finally {
            tracer.silence(false);
        }
        ImageObserver.description(file).forEach(sink::event);
    }

    @Override
    public synchronized void write(long guestOffset, ByteBuffer from) throws DiskException {
        tell(Verb.WRITE, guestOffset, from.remaining(), () -> target().write(guestOffset, from));
    }

    @Override
    public synchronized void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        tell(Verb.WRITE_COMPRESSED, guestOffset, from.remaining(), () -> target().writeCompressed(guestOffset, from));
    }

    @Override
    public synchronized void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        Verb verb = mode == ZeroMode.KEEP_ALLOCATION ? Verb.ZERO_KEEP : Verb.ZERO;
        tell(verb, guestOffset, length, () -> target().writeZeroes(guestOffset, length, mode));
    }

    @Override
    public synchronized void discard(long guestOffset, long length) throws DiskException {
        tell(Verb.DISCARD, guestOffset, length, () -> target().discard(guestOffset, length));
    }

    @Override
    public synchronized void resize(long newSize, Preallocation preallocation) throws DiskException {
        describeAfter(() -> target().resize(newSize, preallocation));
    }

    @Override
    public synchronized void writeVmState(long offset, ByteBuffer from) throws DiskException {
        describeAfter(() -> target().writeVmState(offset, from));
    }

    @Override
    public synchronized SnapshotInfo createSnapshot(String name, long vmStateSize) throws DiskException {
        SnapshotInfo[] made = new SnapshotInfo[1];
        describeAfter(() -> made[0] = target().createSnapshot(name, vmStateSize));
        return made[0];
    }

    @Override
    public synchronized void applySnapshot(String id) throws DiskException {
        describeAfter(() -> target().applySnapshot(id));
    }

    @Override
    public synchronized void deleteSnapshot(String id) throws DiskException {
        describeAfter(() -> target().deleteSnapshot(id));
    }
}
