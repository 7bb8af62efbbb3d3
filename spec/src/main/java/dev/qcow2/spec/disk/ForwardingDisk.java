package dev.qcow2.spec.disk;

import java.nio.ByteBuffer;
import java.util.List;

/** Passes every request on to another disk: the base of wrappers that tell, err or race. */
public abstract class ForwardingDisk implements VirtualDisk {

    private final VirtualDisk target;

    /**
     * Wraps a disk.
     *
     * @param target where requests go
     */
    protected ForwardingDisk(VirtualDisk target) {
        this.target = target;
    }

    /**
     * Returns the wrapped disk.
     *
     * @return where requests go
     */
    protected final VirtualDisk target() {
        return target;
    }

    @Override
    public long size() throws DiskException {
        return target.size();
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws DiskException {
        target.read(guestOffset, into);
    }

    @Override
    public void write(long guestOffset, ByteBuffer from) throws DiskException {
        target.write(guestOffset, from);
    }

    @Override
    public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        target.writeZeroes(guestOffset, length, mode);
    }

    @Override
    public void discard(long guestOffset, long length) throws DiskException {
        target.discard(guestOffset, length);
    }

    @Override
    public void flush() throws DiskException {
        target.flush();
    }

    @Override
    public List<BlockStatus> status(long guestOffset, long length) throws DiskException {
        return target.status(guestOffset, length);
    }

    @Override
    public List<MappedExtent> map(long guestOffset, long length) throws DiskException {
        return target.map(guestOffset, length);
    }

    @Override
    public void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        target.writeCompressed(guestOffset, from);
    }

    @Override
    public void resize(long newSize, FormatFeatures.Preallocation preallocation) throws DiskException {
        target.resize(newSize, preallocation);
    }

    @Override
    public void readVmState(long offset, ByteBuffer into) throws DiskException {
        target.readVmState(offset, into);
    }

    @Override
    public void writeVmState(long offset, ByteBuffer from) throws DiskException {
        target.writeVmState(offset, from);
    }

    @Override
    public Bitmaps bitmaps() throws DiskException {
        return target.bitmaps();
    }

    @Override
    public List<String> notices() {
        return target.notices();
    }

    /** A snapshot without machine state; goes through {@link #createSnapshot(String, long)}, the one to override. */
    @Override
    public final SnapshotInfo createSnapshot(String name) throws DiskException {
        return createSnapshot(name, 0);
    }

    @Override
    public SnapshotInfo createSnapshot(String name, long vmStateSize) throws DiskException {
        return vmStateSize == 0 ? target.createSnapshot(name) : target.createSnapshot(name, vmStateSize);
    }

    @Override
    public void applySnapshot(String id) throws DiskException {
        target.applySnapshot(id);
    }

    @Override
    public void deleteSnapshot(String id) throws DiskException {
        target.deleteSnapshot(id);
    }

    @Override
    public List<SnapshotInfo> snapshots() throws DiskException {
        return target.snapshots();
    }

    @Override
    public void close() throws DiskException {
        target.close();
    }
}
