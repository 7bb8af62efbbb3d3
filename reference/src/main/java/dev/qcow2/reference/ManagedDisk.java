package dev.qcow2.reference;

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
import java.util.List;

/**
 * An open disk with all that surrounds the data path: an image that is found broken is marked so, and not written to any
 * more.
 */
final class ManagedDisk implements VirtualDisk {

    private final VirtualDisk disk;
    private final ImageWriter writer;
    private final Resizer resizer;
    private final BitmapStore bitmaps;
    private final CorruptionMark mark;
    private final String fileName;
    private final boolean writable;
    private boolean closed;

    /**
     * Surrounds a disk.
     *
     * @param disk does what is asked
     * @param writer changes its content
     * @param resizer changes its size
     * @param bitmaps follow the guest
     * @param mark remembers that the image is broken
     * @param fileName the image
     * @param writable whether it may be changed
     */
    ManagedDisk(
            VirtualDisk disk,
            ImageWriter writer,
            Resizer resizer,
            BitmapStore bitmaps,
            CorruptionMark mark,
            String fileName,
            boolean writable) {
        this.disk = disk;
        this.writer = writer;
        this.resizer = resizer;
        this.bitmaps = bitmaps;
        this.mark = mark;
        this.fileName = fileName;
        this.writable = writable;
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
        follow(guestOffset, from.remaining(), () -> disk.write(guestOffset, from));
    }

    @Override
    public synchronized void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        // What can't be compressed is refused before the bitmaps hear of it.
        Action check = () -> writer.requireCompressible(guestOffset, from.remaining());
        follow(guestOffset, from.remaining(), check, () -> disk.writeCompressed(guestOffset, from));
    }

    @Override
    public synchronized void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        follow(guestOffset, length, () -> disk.writeZeroes(guestOffset, length, mode));
    }

    @Override
    public synchronized void discard(long guestOffset, long length) throws DiskException {
        follow(guestOffset, length, () -> disk.discard(guestOffset, length));
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
    public synchronized List<MappedExtent> map(long guestOffset, long length) throws DiskException {
        return ask(() -> disk.map(guestOffset, length));
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
        change(() -> {
            requireUsable();
            resizer.requirePossible(newSize, preallocation);
            if (newSize != disk.size()) {
                bitmaps.requireFollowable(newSize);
                bitmaps.beforeResize();
                resizeImage(newSize, preallocation);
                bitmaps.resized();
            }
        });
    }

    private void resizeImage(long newSize, Preallocation preallocation) throws DiskException {
        try {
            resizer.resize(newSize, preallocation);
        } finally {
            // The place of the last compressed cluster may be free now, or taken.
            writer.forgetPlaces();
        }
    }

    /** A change of a range, which the bitmaps must know of whether it succeeds or not. */
    private void follow(long guestOffset, long length, Action action) throws DiskException {
        follow(guestOffset, length, () -> {}, action);
    }

    private void follow(long guestOffset, long length, Action check, Action action) throws DiskException {
        change(() -> {
            long size = disk.size();
            boolean inside = guestOffset >= 0 && length >= 0 && guestOffset <= size && length <= size - guestOffset;
            // What is outside or read-only is refused below, and changes nothing.
            if (writable && inside) {
                check.perform();
                bitmaps.beforeChange();
                bitmaps.changed(guestOffset, length);
            }
            action.perform();
        });
    }

    /** A closed disk refuses, and so does one that is read-only. */
    private void requireUsable() throws DiskException {
        disk.size();
        if (!writable) {
            throw new ReadOnlyException(fileName);
        }
    }

    @Override
    public synchronized Bitmaps bitmaps() throws DiskException {
        disk.size();
        return new OpenBitmaps();
    }

    /** The bitmaps as long as the disk is open. */
    private final class OpenBitmaps implements Bitmaps {

        @Override
        public List<BitmapInfo> list() throws DiskException {
            synchronized (ManagedDisk.this) {
                disk.size();
                return bitmaps.list();
            }
        }

        private void perform(Action action) throws DiskException {
            synchronized (ManagedDisk.this) {
                requireUsable();
                change(action);
            }
        }

        @Override
        public void add(String name, int granularityBits, boolean enabled) throws DiskException {
            perform(() -> bitmaps.add(name, granularityBits, enabled));
        }

        @Override
        public void remove(String name) throws DiskException {
            perform(() -> bitmaps.remove(name));
        }

        @Override
        public void clear(String name) throws DiskException {
            perform(() -> bitmaps.clear(name));
        }

        @Override
        public void setEnabled(String name, boolean enabled) throws DiskException {
            perform(() -> bitmaps.setEnabled(name, enabled));
        }

        @Override
        public void merge(String into, String from) throws DiskException {
            perform(() -> bitmaps.merge(into, from));
        }

        @Override
        public void mark(String name, long guestOffset, long length) throws DiskException {
            perform(() -> bitmaps.mark(name, guestOffset, length));
        }

        @Override
        public List<Dirty> dirty(String name) throws DiskException {
            synchronized (ManagedDisk.this) {
                disk.size();
                return bitmaps.dirty(name);
            }
        }
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
        change(() -> {
            requireUsable();
            for (SnapshotInfo snapshot : disk.snapshots()) {
                if (snapshot.id().equals(id)) {
                    bitmaps.requireFollowable(snapshot.diskSize());
                    bitmaps.beforeSnapshot(snapshot.diskSize());
                }
            }
            disk.applySnapshot(id);
            bitmaps.changedAll();
        });
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
        if (closed) {
            return;
        }
        closed = true;
        try {
            // What was found broken is not written to any more; its bitmaps stay in use.
            if (writable && mark.sound()) {
                bitmaps.store();
            }
        } finally {
            disk.close();
        }
    }
}
