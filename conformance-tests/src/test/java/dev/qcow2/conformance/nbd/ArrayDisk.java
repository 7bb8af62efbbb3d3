package dev.qcow2.conformance.nbd;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A disk in an array, that waits or fails where a test wants it to. Blocks of 4 KiB that are all zeros are told to be holes. */
final class ArrayDisk implements VirtualDisk {

    /** A read that starts here waits until the gate is open. */
    static final int SLOW_AT = 1 << 19;
    /** Requests that start here fail on the host. */
    static final int BROKEN_AT = 3 << 18;
    /** Requests that start here find the host full. */
    static final int FULL_AT = BROKEN_AT + 4096;
    /** Requests that start here meet an error of the program. */
    static final int BUG_AT = FULL_AT + 4096;

    static final int SIZE = 1 << 20;

    private static final int BLOCK = 4096;

    private final byte[] bytes = new byte[SIZE];
    private final CountDownLatch gate = new CountDownLatch(1);
    private final CountDownLatch waiting;
    private final AtomicInteger flushes = new AtomicInteger();
    private volatile boolean closed;

    /** Makes a disk that tells when so many reads wait at the gate. */
    ArrayDisk(int waiters) {
        waiting = new CountDownLatch(waiters);
    }

    void openGate() {
        gate.countDown();
    }

    boolean awaitWaiters() throws InterruptedException {
        return waiting.await(30, TimeUnit.SECONDS);
    }

    int flushes() {
        return flushes.get();
    }

    boolean closed() {
        return closed;
    }

    synchronized byte at(int offset) {
        return bytes[offset];
    }

    private void meet(long offset) throws DiskException {
        if (offset == BROKEN_AT) {
            throw new HostIoException("array", "request at " + offset, null);
        }
        if (offset == FULL_AT) {
            throw new NoSpaceException("array", "request at " + offset);
        }
        if (offset == BUG_AT) {
            throw new IllegalStateException("seeded");
        }
    }

    @Override
    public long size() {
        return SIZE;
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws DiskException {
        meet(guestOffset);
        if (guestOffset == SLOW_AT) {
            waiting.countDown();
            try {
                gate.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        synchronized (this) {
            into.put(bytes, (int) guestOffset, into.remaining());
        }
    }

    @Override
    public synchronized void write(long guestOffset, ByteBuffer from) throws DiskException {
        meet(guestOffset);
        from.get(bytes, (int) guestOffset, from.remaining());
    }

    @Override
    public synchronized void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        meet(guestOffset);
        Arrays.fill(bytes, (int) guestOffset, (int) (guestOffset + length), (byte) 0);
    }

    @Override
    public void discard(long guestOffset, long length) throws DiskException {
        writeZeroes(guestOffset, length, ZeroMode.MAY_UNMAP);
    }

    @Override
    public void flush() {
        flushes.incrementAndGet();
    }

    @Override
    public synchronized List<BlockStatus> status(long guestOffset, long length) {
        List<BlockStatus> extents = new ArrayList<>();
        for (long at = guestOffset; at < guestOffset + length; ) {
            long end = Math.min(guestOffset + length, at / BLOCK * BLOCK + BLOCK);
            boolean zero = true;
            for (long i = at / BLOCK * BLOCK; i < at / BLOCK * BLOCK + BLOCK; i++) {
                zero &= bytes[(int) i] == 0;
            }
            BlockStatus next = new BlockStatus(at, end - at, zero ? Content.ZERO : Content.DATA, !zero, 0);
            int last = extents.size() - 1;
            if (last >= 0 && extents.get(last).joins(next)) {
                long from = extents.get(last).guestOffset();
                extents.set(last, new BlockStatus(from, end - from, next.content(), next.allocated(), 0));
            } else {
                extents.add(next);
            }
            at = end;
        }
        return extents;
    }

    @Override
    public SnapshotInfo createSnapshot(String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void applySnapshot(String id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void deleteSnapshot(String id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<SnapshotInfo> snapshots() {
        return List.of();
    }

    @Override
    public void close() {
        closed = true;
    }
}
