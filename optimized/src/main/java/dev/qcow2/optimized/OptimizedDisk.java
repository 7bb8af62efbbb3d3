package dev.qcow2.optimized;

import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.List;

/** The open disk: checks each request, and hands it to the path that serves it. Safe for use by many threads. */
final class OptimizedDisk implements VirtualDisk {

    private final Image image;
    private final boolean writable;
    private final List<String> notices;
    private final WritePath writes;
    private final ZeroPath zeroes;
    private final CompressedWrite compressedWrites;
    private final VmStateArea vmState;
    private final SnapshotOperations snapshots;
    private final ResizeOperation resize;
    private final TrackedBitmaps bitmaps;

    OptimizedDisk(
            Image image,
            boolean writable,
            Clock clock,
            List<SnapshotTable.Entry> snapshotTable,
            BitmapDirectory bitmapDirectory,
            List<String> notices)
            throws DiskException {
        this.notices = List.copyOf(notices);
        this.image = image;
        this.writable = writable;
        this.writes = new WritePath(image);
        this.zeroes = new ZeroPath(image, writes);
        this.compressedWrites = new CompressedWrite(image, writes);
        this.vmState = new VmStateArea(image, writes);
        this.snapshots = new SnapshotOperations(image, writes.growth(), clock, snapshotTable);
        this.resize = new ResizeOperation(image, writes.growth(), zeroes);
        this.bitmaps = new TrackedBitmaps(image, writes.growth(), bitmapDirectory, writable);
        image.track(bitmaps);
    }

    @Override
    public long size() throws DiskException {
        image.requireOpen();
        return image.size();
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws DiskException {
        image.requireOpen();
        image.requireInside(guestOffset, into.remaining());
        if (into.hasRemaining()) {
            try {
                image.read(guestOffset, into);
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
    }

    @Override
    public void write(long guestOffset, ByteBuffer from) throws DiskException {
        requireChangeable();
        image.requireInside(guestOffset, from.remaining());
        if (from.hasRemaining()) {
            try {
                writes.write(guestOffset, from);
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
    }

    @Override
    public void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        requireChangeable();
        image.requireInside(guestOffset, from.remaining());
        if (from.hasRemaining()) {
            try {
                compressedWrites.write(guestOffset, from);
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
    }

    @Override
    public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        requireChangeable();
        image.requireInside(guestOffset, length);
        if (length > 0) {
            try {
                zeroes.writeZeroes(guestOffset, length, mode);
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
    }

    @Override
    public void discard(long guestOffset, long length) throws DiskException {
        requireChangeable();
        image.requireInside(guestOffset, length);
        if (length > 0) {
            try {
                zeroes.discard(guestOffset, length);
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
    }

    @Override
    public void flush() throws DiskException {
        image.requireOpen();
        if (writable) {
            try {
                image.flush();
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
    }

    @Override
    public List<BlockStatus> status(long guestOffset, long length) throws DiskException {
        image.requireOpen();
        image.requireInside(guestOffset, length);
        StatusCollector collector = new StatusCollector();
        if (length > 0) {
            try {
                image.status(guestOffset, length, 0, collector);
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
        return collector.extents();
    }

    @Override
    public List<MappedExtent> map(long guestOffset, long length) throws DiskException {
        image.requireOpen();
        image.requireInside(guestOffset, length);
        MapCollector collector = new MapCollector();
        if (length > 0) {
            try {
                image.map(guestOffset, length, 0, collector);
            } catch (CorruptImageException e) {
                throw noted(e);
            }
        }
        return collector.extents();
    }

    @Override
    public void resize(long newSize, Preallocation preallocation) throws DiskException {
        requireChangeable();
        alone(() -> {
            bitmaps.requireResizable(newSize);
            resize.requireAllowed(newSize, preallocation, snapshots.knowTheirSize());
            bitmaps.beforeResize();
            resize.run(newSize, preallocation);
            bitmaps.resized();
            return newSize;
        });
    }

    /** Gives up all that the image maps, so that the backing file shows everywhere. */
    void empty() throws DiskException {
        requireChangeable();
        alone(() -> {
            resize.empty();
            return image;
        });
    }

    /**
     * Makes the image such that its header may name another version: each has what the other has no words for.
     *
     * @param version 2 or 3
     * @param backed whether the image will have a backing file
     */
    void prepareForVersion(int version, boolean backed) throws DiskException {
        requireChangeable();
        alone(() -> {
            if (version == 2) {
                boolean nothingBelow = !backed && header().backingName().isEmpty();
                new ZeroClusterRemoval(image, writes.growth(), nothingBelow).run();
            } else {
                snapshots.complete();
            }
            return image;
        });
    }

    /** The image that this disk shows. */
    Image image() {
        return image;
    }

    /** The header as it was when the image was opened. */
    ImageHeader header() {
        return image.header();
    }

    /** Gives every cluster of a new image a host cluster. */
    void preallocate(Preallocation preallocation) throws DiskException {
        alone(() -> {
            resize.preallocate(0, image.size(), preallocation);
            return preallocation;
        });
    }

    @Override
    public void readVmState(long offset, ByteBuffer into) throws DiskException {
        image.requireOpen();
        vmState.read(offset, into);
    }

    @Override
    public void writeVmState(long offset, ByteBuffer from) throws DiskException {
        requireChangeable();
        vmState.write(offset, from);
    }

    @Override
    public SnapshotInfo createSnapshot(String name, long vmStateSize) throws DiskException {
        requireChangeable();
        vmState.requireInside(0, vmStateSize);
        return alone(() -> snapshots.create(name, vmStateSize));
    }

    @Override
    public SnapshotInfo createSnapshot(String name) throws DiskException {
        requireChangeable();
        return alone(() -> snapshots.create(name, 0));
    }

    @Override
    public void applySnapshot(String id) throws DiskException {
        requireChangeable();
        alone(() -> {
            for (SnapshotInfo snapshot : snapshots.list()) {
                if (snapshot.id().equals(id)) {
                    bitmaps.beforeLoading(snapshot.diskSize());
                }
            }
            snapshots.apply(id);
            bitmaps.resized();
            bitmaps.markAll();
            return id;
        });
    }

    @Override
    public void deleteSnapshot(String id) throws DiskException {
        requireChangeable();
        alone(() -> {
            snapshots.delete(id);
            return id;
        });
    }

    @Override
    public List<SnapshotInfo> snapshots() throws DiskException {
        image.requireOpen();
        image.metadata().lock();
        try {
            return snapshots.list();
        } finally {
            image.metadata().unlock();
        }
    }

    private void storeBitmaps() throws DiskException {
        image.checkpoint().writer().lock();
        image.metadata().lock();
        try {
            bitmaps.store();
        } finally {
            image.metadata().unlock();
            image.checkpoint().writer().unlock();
        }
    }

    @Override
    public Bitmaps bitmaps() throws DiskException {
        image.requireOpen();
        return new BitmapOperations(bitmaps, this);
    }

    @Override
    public List<String> notices() {
        return notices;
    }

    @Override
    public void close() throws DiskException {
        Request request;
        image.metadata().lock();
        try {
            request = image.requests().claimAll();
            if (!image.markClosed()) {
                image.requests().leave(request);
                return;
            }
        } finally {
            image.metadata().unlock();
        }
        try {
            if (writable && !image.health().markedCorrupt()) {
                storeBitmaps();
                image.checkpoint().finish();
                image.ahead().trim();
            }
        } catch (CorruptImageException e) {
            image.marks().setCorrupt();
            throw e;
        } finally {
            image.requests().leave(request);
            image.close();
        }
    }

    /** What runs while no other request is under way. */
    interface Exclusive<T> {
        /** Runs it; both locks are held. */
        T run() throws DiskException;
    }

    /** Runs an action while no other request is under way. */
    <T> T alone(Exclusive<T> action) throws DiskException {
        try {
            return aloneUnnoted(action);
        } catch (CorruptImageException e) {
            throw noted(e);
        }
    }

    private <T> T aloneUnnoted(Exclusive<T> action) throws DiskException {
        Request request = image.claimAll();
        image.checkpoint().writer().lock();
        image.metadata().lock();
        try {
            image.requireOpen();
            image.health().require();
            return action.run();
        } finally {
            image.metadata().unlock();
            image.checkpoint().writer().unlock();
            image.requests().leave(request);
        }
    }

    private CorruptImageException noted(CorruptImageException e) {
        return writable ? image.health().found(e) : e;
    }

    void requireChangeable() throws DiskException {
        image.requireOpen();
        if (!writable) {
            throw new ReadOnlyException(image.host().name());
        }
    }
}
