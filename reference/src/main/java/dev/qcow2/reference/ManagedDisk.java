package dev.qcow2.reference;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * An open disk with all that surrounds the data path: an image that is found broken is marked so, and not written to any
 * more.
 */
final class ManagedDisk implements VirtualDisk {

    private final VirtualDisk disk;
    private final Resizer resizer;
    private final CorruptionMark mark;

    /**
     * Surrounds a disk.
     *
     * @param disk does what is asked
     * @param resizer changes its size
     * @param mark remembers that the image is broken
     */
    ManagedDisk(VirtualDisk disk, Resizer resizer, CorruptionMark mark) {
        this.disk = disk;
        this.resizer = resizer;
        this.mark = mark;
    }

    /** A request. */
    @FunctionalInterface
    private interface Request<T> {
        T perform() throws DiskException;
    }

    /** A request without an answer. */
    @FunctionalInterface
    private interface Action {
        void perform() throws DiskException;
    }

    private <T> T ask(Request<T> request) throws DiskException {
        try {
            return request.perform();
        } catch (CorruptImageException e) {
            mark.hear(e);
            throw e;
        }
    }

    private <T> T change(Request<T> request) throws DiskException {
        mark.requireSound();
        return ask(request);
    }

    private void change(Action action) throws DiskException {
        change(() -> {
            action.perform();
            return true;
        });
    }

    @Override
    public long size() throws DiskException {
        return disk.size();
    }

    @Override
    public synchronized void read(long guestOffset, ByteBuffer into) throws DiskException {
        ask(() -> {
            disk.read(guestOffset, into);
            return true;
        });
    }

    @Override
    public synchronized void write(long guestOffset, ByteBuffer from) throws DiskException {
        change(() -> disk.write(guestOffset, from));
    }

    @Override
    public synchronized void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        change(() -> disk.writeCompressed(guestOffset, from));
    }

    @Override
    public synchronized void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        change(() -> disk.writeZeroes(guestOffset, length, mode));
    }

    @Override
    public synchronized void discard(long guestOffset, long length) throws DiskException {
        change(() -> disk.discard(guestOffset, length));
    }

    @Override
    public synchronized void flush() throws DiskException {
        disk.flush();
    }

    @Override
    public synchronized List<BlockStatus> status(long guestOffset, long length) throws DiskException {
        return ask(() -> disk.status(guestOffset, length));
    }

    @Override
    public synchronized void readVmState(long offset, ByteBuffer into) throws DiskException {
        ask(() -> {
            disk.readVmState(offset, into);
            return true;
        });
    }

    @Override
    public synchronized void writeVmState(long offset, ByteBuffer from) throws DiskException {
        change(() -> disk.writeVmState(offset, from));
    }

    @Override
    public synchronized void resize(long newSize, Preallocation preallocation) throws DiskException {
        if (newSize < 0) {
            throw new IllegalArgumentException("the new size is negative: " + newSize);
        }
        // A closed disk refuses.
        disk.size();
        change(() -> resizer.resize(newSize, preallocation));
    }

    @Override
    public List<String> notices() {
        return disk.notices();
    }

    @Override
    public synchronized SnapshotInfo createSnapshot(String name) throws DiskException {
        return change(() -> disk.createSnapshot(name));
    }

    @Override
    public synchronized SnapshotInfo createSnapshot(String name, long vmStateSize) throws DiskException {
        return change(() -> disk.createSnapshot(name, vmStateSize));
    }

    @Override
    public synchronized void applySnapshot(String id) throws DiskException {
        change(() -> disk.applySnapshot(id));
    }

    @Override
    public synchronized void deleteSnapshot(String id) throws DiskException {
        change(() -> disk.deleteSnapshot(id));
    }

    @Override
    public synchronized List<SnapshotInfo> snapshots() throws DiskException {
        return ask(disk::snapshots);
    }

    @Override
    public synchronized void close() throws DiskException {
        disk.close();
    }
}
