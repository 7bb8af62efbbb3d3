package dev.qcow2.conformance.concurrent;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.host.WrappingHostDirectory.Wrapper;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Races that real implementations have had, planted into a right one from outside. */
public enum RaceFault {
    /** Two allocators hand out the same cluster: as if the lock around the allocator were missing. */
    TWO_ALLOCATIONS {
        @Override
        public DiskDriver plant(DiskDriver right) {
            return new TwoHandles(right);
        }
    },
    /** A hole is punched after the cluster was handed out again (cloud-hypervisor#8624). */
    STALE_PUNCH {
        @Override
        public DiskDriver plant(DiskDriver right) {
            return new OnOtherFiles(right, LatePunch::new);
        }
    },
    /** A flush is answered while the update of a table is still on its way. */
    FLUSH_PASSES_UPDATE {
        @Override
        public DiskDriver plant(DiskDriver right) {
            return new OnOtherFiles(right, LateTable::new);
        }
    };

    /**
     * Plants the race.
     *
     * @param right an implementation that is right
     * @return the same with the race
     */
    public abstract DiskDriver plant(DiskDriver right);

    private static void later(Runnable action) {
        long micros = 50L + ThreadLocalRandom.current().nextInt(400);
        CompletableFuture.delayedExecutor(micros, TimeUnit.MICROSECONDS).execute(action);
    }

    /** Punches when it gets round to it. */
    private static final class LatePunch extends ForwardingHostFile {
        LatePunch(HostFile target) {
            super(target);
        }

        @Override
        public boolean punchHole(long hostOffset, long length) {
            later(() -> {
                try {
                    target().punchHole(hostOffset, length);
                } catch (DiskException e) {
                    // The file was closed meanwhile: this punch came too late even to do harm.
                    Thread.onSpinWait();
                }
            });
            return true;
        }
    }

    /** Holds back one in four small writes, and lets flushes pass them. */
    private static final class LateTable extends ForwardingHostFile {
        private static final int LARGEST_TABLE_WRITE = 4096;

        LateTable(HostFile target) {
            super(target);
        }

        @Override
        public void write(long hostOffset, ByteBuffer from) throws DiskException {
            if (from.remaining() > LARGEST_TABLE_WRITE
                    || ThreadLocalRandom.current().nextInt(4) > 0) {
                super.write(hostOffset, from);
                return;
            }
            byte[] bytes = new byte[from.remaining()];
            from.get(bytes);
            later(() -> {
                try {
                    target().write(hostOffset, ByteBuffer.wrap(bytes));
                } catch (DiskException e) {
                    // Closed meanwhile: the update is lost for good.
                    Thread.onSpinWait();
                }
            });
        }
    }

    /** The same implementation on files that are not right. */
    private record OnOtherFiles(DiskDriver right, Wrapper<HostFile> wrapper) implements DiskDriver {
        @Override
        public String name() {
            return right.name();
        }

        @Override
        public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
            right.create(directory, fileName, options);
        }

        @Override
        public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
            return right.open(new WrappingHostDirectory<>(directory, wrapper), fileName, options);
        }
    }

    /** Opens an image twice and sends requests to either handle: each has tables and an allocator of its own. */
    private record TwoHandles(DiskDriver right) implements DiskDriver {
        @Override
        public String name() {
            return right.name();
        }

        @Override
        public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
            right.create(directory, fileName, options);
        }

        @Override
        public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
            return new TwoDisks(right.open(directory, fileName, options), right.open(directory, fileName, options));
        }
    }

    private record TwoDisks(VirtualDisk one, VirtualDisk other, AtomicInteger turn) implements VirtualDisk {
        TwoDisks(VirtualDisk one, VirtualDisk other) {
            this(one, other, new AtomicInteger());
        }

        private VirtualDisk next() {
            return turn.getAndIncrement() % 2 == 0 ? one : other;
        }

        @Override
        public long size() throws DiskException {
            return one.size();
        }

        @Override
        public void read(long guestOffset, ByteBuffer into) throws DiskException {
            next().read(guestOffset, into);
        }

        @Override
        public void write(long guestOffset, ByteBuffer from) throws DiskException {
            next().write(guestOffset, from);
        }

        @Override
        public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
            next().writeZeroes(guestOffset, length, mode);
        }

        @Override
        public void discard(long guestOffset, long length) throws DiskException {
            next().discard(guestOffset, length);
        }

        @Override
        public void flush() throws DiskException {
            one.flush();
            other.flush();
        }

        @Override
        public List<BlockStatus> status(long guestOffset, long length) throws DiskException {
            return next().status(guestOffset, length);
        }

        @Override
        public SnapshotInfo createSnapshot(String name) throws DiskException {
            return one.createSnapshot(name);
        }

        @Override
        public void applySnapshot(String id) throws DiskException {
            one.applySnapshot(id);
        }

        @Override
        public void deleteSnapshot(String id) throws DiskException {
            one.deleteSnapshot(id);
        }

        @Override
        public List<SnapshotInfo> snapshots() throws DiskException {
            return one.snapshots();
        }

        @Override
        public void close() throws DiskException {
            one.close();
            other.close();
        }
    }
}
