package dev.qcow2.spec.host;

import com.sun.jna.LastErrorException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.NoSpaceException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What Linux can do to a file and Java can not ask for: zeroes and holes without writing. It has a file descriptor of its
 * own, because Java does not tell those of its channels.
 */
final class LinuxFile implements AutoCloseable {

    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 02000000;
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;
    private static final int ZERO_RANGE = 16;
    private static final int ENOSPC = 28;
    private static final int EINVAL = 22;
    private static final int EOPNOTSUPP = 95;
    private static final int ENOSYS = 38;
    private static final int ENODEV = 19;

    private static final boolean AVAILABLE = CLibrary.register(LinuxFile.class);

    private final String name;
    private final int descriptor;
    private volatile boolean closed;

    private LinuxFile(String name, int descriptor) {
        this.name = name;
        this.descriptor = descriptor;
    }

    private static native int open(String path, int flags) throws LastErrorException;

    private static native int close(int descriptor) throws LastErrorException;

    private static native int fallocate(int descriptor, int mode, long offset, long length) throws LastErrorException;

    /** Returns null where the host has no fallocate, or the file can't be written. */
    static @Nullable LinuxFile open(Path path) {
        if (!AVAILABLE || !Files.isWritable(path)) {
            return null;
        }
        try {
            return new LinuxFile(path.toString(), open(path.toString(), O_RDWR | O_CLOEXEC));
        } catch (LastErrorException e) {
            return null;
        }
    }

    private static native int ftruncate(int descriptor, long length) throws LastErrorException;

    void setSize(long size) throws DiskException {
        requireOpen("truncate to ", size);
        try {
            ftruncate(descriptor, size);
        } catch (LastErrorException e) {
            throw new HostIoException(name, "truncate to " + size, e);
        }
    }

    boolean zeroRange(long offset, long length) throws DiskException {
        // Without KEEP_SIZE the file grows in the same call, so two threads can't cut each other's data off.
        return call(ZERO_RANGE, offset, length, "zero range at ");
    }

    boolean punchHole(long offset, long length) throws DiskException {
        return call(PUNCH_HOLE | KEEP_SIZE, offset, length, "punch hole at ");
    }

    private void requireOpen(String operation, long at) throws DiskException {
        // The host gives the number of a closed descriptor to the next file that anybody opens.
        if (closed) {
            throw new HostIoException(name, operation + at + " on a closed file", null);
        }
    }

    private boolean call(int mode, long offset, long length, String operation) throws DiskException {
        requireOpen(operation, offset);
        try {
            fallocate(descriptor, mode, offset, length);
            return true;
        } catch (LastErrorException e) {
            return switch (e.getErrorCode()) {
                // The file system says that it doesn't do this; nothing has changed.
                case EOPNOTSUPP, ENOSYS, EINVAL, ENODEV -> false;
                case ENOSPC -> throw new NoSpaceException(name, operation + offset);
                default -> throw new HostIoException(name, operation + offset, e);
            };
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            close(descriptor);
        }
    }
}
