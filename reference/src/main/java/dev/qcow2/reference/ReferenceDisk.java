package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.SnapshotInfo;
import java.nio.ByteBuffer;
import java.util.List;

/** An open disk: the data path, and beside it what has chapters of its own. */
final class ReferenceDisk extends DataPath {

    private final Image image;
    private final ImageWriter writer;
    private final Snapshots snapshots;
    private final List<String> notices;

    ReferenceDisk(
            Image image,
            Resolver resolver,
            ImageWriter writer,
            Snapshots snapshots,
            boolean writable,
            List<String> notices) {
        super(image, resolver, writer, writable);
        this.image = image;
        this.writer = writer;
        this.snapshots = snapshots;
        this.notices = List.copyOf(notices);
    }

    @Override
    public List<String> notices() {
        return notices;
    }

    @Override
    public synchronized void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        requireWritable();
        requireInside(guestOffset, from.remaining());
        new CompressedWriter(image, writer).write(guestOffset, from);
    }

    @Override
    public synchronized void readVmState(long offset, ByteBuffer into) throws DiskException {
        requireOpen();
        snapshots.vmState().read(offset, into);
    }

    @Override
    public synchronized void writeVmState(long offset, ByteBuffer from) throws DiskException {
        requireWritable();
        snapshots.vmState().write(offset, from);
    }

    @Override
    public synchronized SnapshotInfo createSnapshot(String name) throws DiskException {
        return createSnapshot(name, 0);
    }

    @Override
    public synchronized SnapshotInfo createSnapshot(String name, long vmStateSize) throws DiskException {
        requireWritable();
        return snapshots.create(name, vmStateSize);
    }

    @Override
    public synchronized void applySnapshot(String id) throws DiskException {
        requireWritable();
        snapshots.load(id);
    }

    @Override
    public synchronized void deleteSnapshot(String id) throws DiskException {
        requireWritable();
        snapshots.delete(id);
    }

    @Override
    public synchronized List<SnapshotInfo> snapshots() throws DiskException {
        requireOpen();
        return snapshots.list();
    }
}
