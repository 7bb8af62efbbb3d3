package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskClosedException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;

/** An open image as the guest sees it: checks requests and cuts them at cluster borders. */
final class MutantDisk implements VirtualDisk {

    private final MutantGuest guest;
    private final MutantSnapshots snapshots;
    private final String fileName;
    private final boolean writable;
    private final Set<Fault> faults;
    private boolean closed;

    MutantDisk(String fileName, MutantGuest guest, MutantSnapshots snapshots, boolean writable, Set<Fault> faults) {
        this.fileName = fileName;
        this.guest = guest;
        this.snapshots = snapshots;
        this.writable = writable;
        this.faults = faults;
    }

    @Override
    public synchronized long size() throws DiskException {
        requireOpen();
        return guest.size();
    }

    @Override
    public synchronized void read(long guestOffset, ByteBuffer into) throws DiskException {
        requireInside(guestOffset, into.remaining());
        clip(guestOffset, into);
        guest.fetch(guestOffset, into);
    }

    @Override
    public synchronized void write(long guestOffset, ByteBuffer from) throws DiskException {
        requireWritable(guestOffset, from.remaining());
        clip(guestOffset, from);
        guest.write(guestOffset, from);
    }

    @Override
    public synchronized void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        requireWritable(guestOffset, length);
        guest.zero(guestOffset, Math.min(length, guest.size() - guestOffset), mode);
    }

    @Override
    public synchronized void discard(long guestOffset, long length) throws DiskException {
        requireWritable(guestOffset, length);
        guest.discard(guestOffset, Math.min(length, guest.size() - guestOffset));
    }

    @Override
    public synchronized void flush() throws DiskException {
        requireOpen();
        guest.flush();
    }

    @Override
    public synchronized List<BlockStatus> status(long guestOffset, long length) throws DiskException {
        requireInside(guestOffset, length);
        return guest.extents(guestOffset, Math.min(length, guest.size() - guestOffset));
    }

    @Override
    public synchronized SnapshotInfo createSnapshot(String name) throws DiskException {
        requireWritable(0, 0);
        return snapshots.create(name);
    }

    @Override
    public synchronized void applySnapshot(String id) throws DiskException {
        requireWritable(0, 0);
        snapshots.apply(id);
    }

    @Override
    public synchronized void deleteSnapshot(String id) throws DiskException {
        requireWritable(0, 0);
        snapshots.delete(id);
    }

    @Override
    public synchronized List<SnapshotInfo> snapshots() throws DiskException {
        requireOpen();
        return snapshots.list();
    }

    @Override
    public synchronized void close() throws DiskException {
        if (!closed) {
            closed = true;
            if (writable) {
                guest.flush();
            }
            guest.release();
        }
    }

    private void requireOpen() throws DiskException {
        if (closed) {
            throw new DiskClosedException(fileName);
        }
    }

    private void requireInside(long offset, long length) throws DiskException {
        requireOpen();
        long size = guest.size();
        boolean clipped = faults.contains(Fault.OUT_OF_BOUNDS_CLIPPED) && offset >= 0 && offset <= size;
        if (offset < 0 || length < 0 || offset > size || (length > size - offset && !clipped)) {
            throw new OutOfBoundsException(offset, length, size);
        }
    }

    private void requireWritable(long offset, long length) throws DiskException {
        requireInside(offset, length);
        if (!writable) {
            throw new ReadOnlyException(fileName);
        }
    }

    private void clip(long offset, ByteBuffer buffer) throws DiskException {
        buffer.limit(buffer.position() + (int) Math.min(buffer.remaining(), guest.size() - offset));
    }
}
