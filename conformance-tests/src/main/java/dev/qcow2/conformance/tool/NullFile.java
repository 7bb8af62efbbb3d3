package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** The driver null-co: a file that takes every write, keeps none, and reads as zero. */
final class NullFile implements HostFile {

    /** What QEMU takes if no size is given. */
    static final long DEFAULT_SIZE = 1L << 30;

    private volatile long size;

    NullFile(long size) {
        this.size = size;
    }

    @Override
    public String name() {
        return "null-co://";
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) {
        int length = (int) Math.max(0, Math.min(into.remaining(), size - hostOffset));
        for (int i = 0; i < length; i++) {
            into.put((byte) 0);
        }
        return length;
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) {
        from.position(from.limit());
    }

    @Override
    public boolean zero(long hostOffset, long length) {
        return true;
    }

    @Override
    public boolean punchHole(long hostOffset, long length) {
        return true;
    }

    @Override
    public void truncate(long newSize) {
        size = newSize;
    }

    @Override
    public void flush() {
        // Nothing is kept.
    }

    @Override
    public void close() throws DiskException {
        // Nothing is held.
    }
}
