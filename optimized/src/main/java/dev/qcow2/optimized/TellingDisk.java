package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.ForwardingDisk;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.nio.ByteBuffer;

/**
 * A disk that tells where requests begin and end, and when the file has all of it; what happens between is told by a {@link
 * ChangeTeller}, from the tables.
 *
 * <p>One change runs at a time, for a trace has no words for requests that overlap; reads run beside them as always. After
 * what rebuilds tables (resize, snapshots, machine state) everything is brought to the file, and the image is described anew.
 */
final class TellingDisk extends ForwardingDisk {

    private final OptimizedDisk disk;
    private final boolean writable;
    private final ChangeTeller teller;

    private TellingDisk(OptimizedDisk disk, boolean writable, ChangeTeller teller) {
        super(disk);
        this.disk = disk;
        this.writable = writable;
        this.teller = teller;
    }

    /** Describes the image of a disk that was just opened, and tells of it from then on. */
    static TellingDisk of(OptimizedDisk disk, boolean writable, ChangeTeller teller) throws DiskException {
        boolean complete = false;
        try {
            teller.describe(disk.image().host());
            complete = true;
            return new TellingDisk(disk, writable, teller);
        } finally {
            if (!complete) {
                disk.close();
            }
        }
    }

    /** What is done in one request. */
    private interface Change {
        void run() throws DiskException;
    }

    private void tell(Verb verb, long offset, long length, Change change) throws DiskException {
        teller.guest(new TraceEvent.Request(verb, offset, length, ""));
        try {
            change.run();
        } finally {
            teller.guest(new TraceEvent.Done());
            tellIfSettled();
        }
    }

    /** Counts are lowered late, so it takes a flush at least until all is as it should be. */
    private void tellIfSettled() {
        if (disk.image().checkpoint().isSettled()) {
            teller.guest(new TraceEvent.Settled());
        }
    }

    private void describeAfter(Change change) throws DiskException {
        teller.silence();
        try {
            change.run();
        } catch (DiskException e) {
            // What was refused may have changed something before: a table is longer, or there is one more.
            try {
                describe();
            } catch (DiskException another) {
                // Nothing more is told, for nobody knows what the file holds.
                e.addSuppressed(another);
            }
            throw e;
        }
        describe();
    }

    private void describe() throws DiskException {
        if (writable && disk.image().isOpen()) {
            // Counts may have been postponed, and a description must have them all.
            disk.image().checkpoint().finish();
        }
        teller.describe(disk.image().host());
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
        Verb verb =
                switch (mode) {
                    case KEEP_ALLOCATION -> Verb.ZERO_KEEP;
                    case MAY_UNMAP -> Verb.ZERO;
                };
        tell(verb, guestOffset, length, () -> disk.writeZeroes(guestOffset, length, mode));
    }

    @Override
    public synchronized void discard(long guestOffset, long length) throws DiskException {
        tell(Verb.DISCARD, guestOffset, length, () -> disk.discard(guestOffset, length));
    }

    @Override
    public synchronized void flush() throws DiskException {
        disk.flush();
        tellIfSettled();
    }

    @Override
    public synchronized void resize(long newSize, Preallocation preallocation) throws DiskException {
        describeAfter(() -> disk.resize(newSize, preallocation));
    }

    @Override
    public synchronized void writeVmState(long offset, ByteBuffer from) throws DiskException {
        describeAfter(() -> disk.writeVmState(offset, from));
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
    public synchronized void close() throws DiskException {
        boolean first = disk.image().isOpen();
        disk.close();
        if (first && writable) {
            // What was postponed until now.
            tellIfSettled();
        }
    }
}
