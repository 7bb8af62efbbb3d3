package dev.qcow2.conformance.tool;

import dev.qcow2.spec.clause.GuestClause;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskClosedException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostExtent;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** A file whose bytes are the disk's bytes. Its size is that of the file, rounded up to a sector of 512 bytes. */
public final class RawDisk implements VirtualDisk {

    private static final long SECTOR = 512;
    private static final int ZEROS_AT_ONCE = 1 << 20;

    private final HostFile file;
    private final boolean writable;
    private volatile long size;
    private volatile boolean closed;

    /**
     * Makes a disk of a file.
     *
     * @param file holds the bytes; is closed with the disk
     * @param writable whether the guest may write
     * @throws DiskException if the host fails
     */
    public RawDisk(HostFile file, boolean writable) throws DiskException {
        this.file = file;
        this.writable = writable;
        size = roundedUp(file.size());
    }

    private static long roundedUp(long length) {
        return (length + SECTOR - 1) / SECTOR * SECTOR;
    }

    /**
     * Returns the file, for what only it knows, such as its holes.
     *
     * @return an open file; it belongs to this disk
     */
    public HostFile file() {
        return file;
    }

    @Override
    public long size() throws DiskException {
        requireOpen();
        return size;
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws DiskException {
        requireRange(guestOffset, into.remaining());
        file.readZeroPadded(guestOffset, into);
    }

    @Override
    public void write(long guestOffset, ByteBuffer from) throws DiskException {
        requireWritable();
        requireRange(guestOffset, from.remaining());
        file.write(guestOffset, from);
    }

    @Override
    public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        requireWritable();
        requireRange(guestOffset, length);
        if (length == 0) {
            return;
        }
        boolean done = mode == ZeroMode.MAY_UNMAP && punched(guestOffset, length);
        if (!done && !file.zero(guestOffset, length)) {
            writeZeros(guestOffset, length);
        }
    }

    private boolean punched(long guestOffset, long length) throws DiskException {
        return guestOffset + length <= file.size() && file.punchHole(guestOffset, length);
    }

    private void writeZeros(long guestOffset, long length) throws DiskException {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(length, ZEROS_AT_ONCE));
        for (long done = 0; done < length; done += zeros.limit()) {
            zeros.clear().limit((int) Math.min(length - done, zeros.capacity()));
            file.write(guestOffset + done, zeros);
        }
    }

    @Override
    public void discard(long guestOffset, long length) throws DiskException {
        requireWritable();
        requireRange(guestOffset, length);
        // A host that can't punch holes keeps the bytes, which a discard may do (QC-GUEST-04).
        if (length > 0) {
            file.punchHole(guestOffset, length);
        }
    }

    @Override
    public void flush() throws DiskException {
        requireOpen();
        if (writable) {
            file.flush();
        }
    }

    @Override
    public List<BlockStatus> status(long guestOffset, long length) throws DiskException {
        requireRange(guestOffset, length);
        return length == 0
                ? List.of()
                : List.of(new BlockStatus(guestOffset, length, BlockStatus.Content.DATA, true, 0));
    }

    @Override
    public List<MappedExtent> map(long guestOffset, long length) throws DiskException {
        requireRange(guestOffset, length);
        // What keeps nothing has no places either.
        boolean kept = !(file instanceof NullFile);
        long start = file instanceof WindowFile window ? window.start() : 0;
        long there = file.size();
        List<MappedExtent> extents = new ArrayList<>();
        for (long at = guestOffset; at < guestOffset + length; ) {
            boolean hole = at >= there;
            long end = guestOffset + length;
            if (!hole) {
                HostExtent run = file.extent(at);
                hole = run.hole();
                end = Math.min(end, Math.min(run.end(), there));
            }
            OptionalLong place = kept ? OptionalLong.of(start + at) : OptionalLong.empty();
            Content content = hole ? Content.ZERO : Content.DATA;
            MappedExtent next = new MappedExtent(at, end - at, content, kept, 0, place, false);
            int last = extents.size() - 1;
            if (last >= 0 && extents.get(last).joins(next)) {
                MappedExtent old = extents.get(last);
                next = new MappedExtent(
                        old.guestOffset(), end - old.guestOffset(), content, kept, 0, old.hostOffset(), false);
                extents.remove(last);
            }
            extents.add(next);
            at = end;
        }
        return List.copyOf(extents);
    }

    @Override
    public void resize(long newSize, Preallocation preallocation) throws DiskException {
        requireWritable();
        long old = file.size();
        file.truncate(newSize);
        size = roundedUp(newSize);
        boolean reserves = preallocation == Preallocation.FALLOC || preallocation == Preallocation.FULL;
        if (newSize > old && reserves && !file.zero(old, newSize - old)) {
            writeZeros(old, newSize - old);
        }
    }

    @Override
    public SnapshotInfo createSnapshot(String name) throws DiskException {
        throw noSnapshots();
    }

    @Override
    public void applySnapshot(String id) throws DiskException {
        throw noSnapshots();
    }

    @Override
    public void deleteSnapshot(String id) throws DiskException {
        throw noSnapshots();
    }

    @Override
    public List<SnapshotInfo> snapshots() {
        return List.of();
    }

    private DiskException noSnapshots() {
        return new UnsupportedFeatureException(file.name(), GuestClause.QC_GUEST_01, "snapshots of a raw image");
    }

    private void requireOpen() throws DiskException {
        if (closed) {
            throw new DiskClosedException(file.name());
        }
    }

    private void requireWritable() throws DiskException {
        requireOpen();
        if (!writable) {
            throw new ReadOnlyException(file.name());
        }
    }

    private void requireRange(long guestOffset, long length) throws DiskException {
        requireOpen();
        if (guestOffset < 0 || length < 0 || guestOffset > size - length) {
            throw new OutOfBoundsException(guestOffset, length, size);
        }
    }

    @Override
    public void close() throws DiskException {
        if (closed) {
            return;
        }
        closed = true;
        try (file) {
            if (writable) {
                file.flush();
            }
        }
    }
}
