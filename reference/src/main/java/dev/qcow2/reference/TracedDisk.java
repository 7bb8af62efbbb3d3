package dev.qcow2.reference;

import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MappedExtent;
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
import java.util.List;

/**
 * A disk that tells where requests begin and end; what happens between is told by a {@link PlanTracer}. Requests on guest
 * clusters are told step by step; after all others the image is described anew.
 */
final class TracedDisk implements VirtualDisk {

    private final VirtualDisk disk;
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
        this.disk = disk;
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
    public long size() throws DiskException {
        return disk.size();
    }

    @Override
    public synchronized void read(long guestOffset, ByteBuffer into) throws DiskException {
        disk.read(guestOffset, into);
    }

    @Override
    public synchronized void write(long guestOffset, ByteBuffer from) throws DiskException {
        tell(Verb.WRITE, guestOffset, from.remaining(), () -> disk.write(guestOffset, from));
    }

    @Override
    public synchronized void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        tell(Verb.WRITE_COMPRESSED, guestOffset, from.remaining(), () -> disk.writeCompressed(guestOffset, from));
    }

    @Override
    public synchronized void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        Verb verb = mode == ZeroMode.KEEP_ALLOCATION ? Verb.ZERO_KEEP : Verb.ZERO;
        tell(verb, guestOffset, length, () -> disk.writeZeroes(guestOffset, length, mode));
    }

    @Override
    public synchronized void discard(long guestOffset, long length) throws DiskException {
        tell(Verb.DISCARD, guestOffset, length, () -> disk.discard(guestOffset, length));
    }

    @Override
    public synchronized void flush() throws DiskException {
        disk.flush();
    }

    @Override
    public List<BlockStatus> status(long guestOffset, long length) throws DiskException {
        return disk.status(guestOffset, length);
    }

    @Override
    public List<MappedExtent> map(long guestOffset, long length) throws DiskException {
        return disk.map(guestOffset, length);
    }

    @Override
    public synchronized void resize(long newSize, Preallocation preallocation) throws DiskException {
        describeAfter(() -> disk.resize(newSize, preallocation));
    }

    @Override
    public synchronized void readVmState(long offset, ByteBuffer into) throws DiskException {
        disk.readVmState(offset, into);
    }

    @Override
    public synchronized void writeVmState(long offset, ByteBuffer from) throws DiskException {
        describeAfter(() -> disk.writeVmState(offset, from));
    }

    @Override
    public Bitmaps bitmaps() throws DiskException {
        return disk.bitmaps();
    }

    @Override
    public List<String> notices() {
        return disk.notices();
    }

    @Override
    public SnapshotInfo createSnapshot(String name) throws DiskException {
        return createSnapshot(name, 0);
    }

    @Override
    public synchronized SnapshotInfo createSnapshot(String name, long vmStateSize) throws DiskException {
        SnapshotInfo[] made = new SnapshotInfo[1];
        describeAfter(() -> made[0] = disk.createSnapshot(name, vmStateSize));
        return made[0];
    }

    @Override
    public synchronized void applySnapshot(String id) throws DiskException {
        describeAfter(() -> disk.applySnapshot(id));
    }

    @Override
    public synchronized void deleteSnapshot(String id) throws DiskException {
        describeAfter(() -> disk.deleteSnapshot(id));
    }

    @Override
    public List<SnapshotInfo> snapshots() throws DiskException {
        return disk.snapshots();
    }

    @Override
    public synchronized void close() throws DiskException {
        disk.close();
    }
}
