package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A handle on a file in memory. The bytes belong to a {@link MemoryFileContent}, which outlives the
 * handle, so that a file can be closed and opened again.
 */
public final class MemoryHostFile implements HostFile {

    private final String name;
    private final MemoryFileContent content;
    private final Access access;
    private final boolean efficientZeroing;
    private final ReentrantReadWriteLock lock;
    private volatile boolean closed;

    /**
     * Opens a handle.
     *
     * @param name for messages
     * @param content the bytes
     * @param access read-only handles refuse every change
     * @param efficientZeroing false to play a host that says no to {@link #zero} and {@link #punchHole}
     */
    public MemoryHostFile(String name, MemoryFileContent content, Access access, boolean efficientZeroing) {
        this.name = name;
        this.content = content;
        this.access = access;
        this.efficientZeroing = efficientZeroing;
        this.lock = content.lock();
    }

    /**
     * Opens a writable handle on an empty file.
     *
     * @param name for messages
     * @return a handle that zeroes efficiently
     */
    public static MemoryHostFile empty(String name) {
        return new MemoryHostFile(name, new MemoryFileContent(), Access.READ_WRITE, true);
    }

    /**
     * Returns the bytes behind this handle.
     *
     * @return shared with every other handle on the file
     */
    public MemoryFileContent content() {
        return content;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long size() throws DiskException {
        requireOpen("size");
        lock.readLock().lock();
        try {
            return content.size();
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        requireOpen("read");
        lock.readLock().lock();
        try {
            return content.read(hostOffset, into);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        requireWritable("write at " + hostOffset);
        lock.writeLock().lock();
        try {
            content.write(hostOffset, from);
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        requireWritable("zero at " + hostOffset);
        if (!efficientZeroing) {
            return false;
        }
        lock.writeLock().lock();
        try {
            content.zero(hostOffset, length);
            content.truncate(Math.max(content.size(), Math.addExact(hostOffset, length)));
            return true;
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        requireWritable("punch hole at " + hostOffset);
        if (!efficientZeroing) {
            return false;
        }
        lock.writeLock().lock();
        try {
            content.zero(hostOffset, length);
            return true;
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void truncate(long size) throws DiskException {
        requireWritable("truncate to " + size);
        lock.writeLock().lock();
        try {
            content.truncate(size);
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void flush() throws DiskException {
        requireOpen("flush");
    }

    @Override
    public void close() {
        closed = true;
    }

    private void requireOpen(String operation) throws DiskException {
        if (closed) {
            throw new HostIoException(name, operation + " on a closed file", null);
        }
    }

    private void requireWritable(String operation) throws DiskException {
        requireOpen(operation);
        if (access == Access.READ_ONLY) {
            throw new HostIoException(name, operation + " on a file opened read-only", null);
        }
    }
}
