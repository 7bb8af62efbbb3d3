package dev.qcow2.conformance.concurrent;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * A file that takes its time, now and then: in memory a request is over before another thread gets
 * its turn, and races that a real disk shows would never happen.
 */
final class JitterHostFile extends ForwardingHostFile {

    JitterHostFile(HostFile target) {
        super(target);
    }

    @SuppressWarnings("ThreadPriorityCheck") // to provoke other schedules is the very purpose
    private static void pause() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        switch (random.nextInt(8)) {
            case 0 -> LockSupport.parkNanos(1_000L * random.nextInt(60));
            case 1, 2, 3 -> Thread.yield();
            default -> Thread.onSpinWait();
        }
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        pause();
        int count = super.read(hostOffset, into);
        pause();
        return count;
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        pause();
        super.write(hostOffset, from);
        pause();
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        pause();
        return super.zero(hostOffset, length);
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        pause();
        return super.punchHole(hostOffset, length);
    }

    @Override
    public void flush() throws DiskException {
        pause();
        super.flush();
    }
}
