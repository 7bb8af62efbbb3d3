package dev.qcow2.spec.host;

import com.sun.jna.LastErrorException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FileInUseException;
import dev.qcow2.spec.disk.HostIoException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Locks on single bytes of a file, which belong to one open descriptor and go with it, also when the program dies.
 *
 * <p>Java's own file locks belong to the process, end when any channel of the file is closed, and can't be asked
 * for: so Linux is called directly. The structure that its {@code fcntl} takes, in the host's byte order:
 *
 * <table>
 * <caption>struct flock of 64-bit Linux</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>2</td><td>kind of lock: 0 shared, 1 exclusive, 2 none</td></tr>
 * <tr><td>2</td><td>2</td><td>where the start counts from: 0 is the start of the file</td></tr>
 * <tr><td>8</td><td>8</td><td>first byte</td></tr>
 * <tr><td>16</td><td>8</td><td>number of bytes</td></tr>
 * <tr><td>24</td><td>4</td><td>process; 0 for locks of a descriptor</td></tr>
 * </table>
 */
final class LockBytes implements AutoCloseable {

    private static final int O_RDONLY = 0;
    private static final int O_CLOEXEC = 02000000;
    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final short SHARED = 0;
    private static final short EXCLUSIVE = 1;
    private static final short NONE = 2;
    private static final int STRUCTURE_BYTES = 32;
    private static final int START = 8;
    private static final int LENGTH = 16;
    private static final int EACCES = 13;
    private static final int EAGAIN = 11;
    private static final int EINVAL = 22;

    private static final boolean AVAILABLE = CLibrary.register(LockBytes.class);

    private final String name;
    private final int descriptor;

    private LockBytes(String name, int descriptor) {
        this.name = name;
        this.descriptor = descriptor;
    }

    private static native int open(String path, int flags) throws LastErrorException;

    private static native int close(int descriptor) throws LastErrorException;

    private static native int fcntl(int descriptor, int command, ByteBuffer lock) throws LastErrorException;

    /** Returns null where the host has no such locks; a file that can't be read is left to whoever opens it next. */
    static @Nullable LockBytes open(Path path) {
        if (!AVAILABLE) {
            return null;
        }
        try {
            LockBytes bytes = new LockBytes(path.toString(), open(path.toString(), O_RDONLY | O_CLOEXEC));
            if (bytes.supported()) {
                return bytes;
            }
            bytes.close();
        } catch (LastErrorException e) {
            return null;
        }
        return null;
    }

    private boolean supported() {
        try {
            fcntl(descriptor, F_OFD_GETLK, lock(SHARED, 0));
            return true;
        } catch (LastErrorException e) {
            return e.getErrorCode() != EINVAL;
        }
    }

    private static ByteBuffer lock(short kind, int at) {
        return ByteBuffer.allocateDirect(STRUCTURE_BYTES)
                .order(ByteOrder.nativeOrder())
                .putShort(0, kind)
                .putLong(START, at)
                .putLong(LENGTH, 1);
    }

    /** Takes a shared lock on a byte. */
    void take(int at) throws DiskException {
        set(SHARED, at);
    }

    /** Gives the lock on a byte back. */
    void release(int at) throws DiskException {
        set(NONE, at);
    }

    private void set(short kind, int at) throws DiskException {
        try {
            fcntl(descriptor, F_OFD_SETLK, lock(kind, at));
        } catch (LastErrorException e) {
            throw switch (e.getErrorCode()) {
                case EAGAIN, EACCES -> new FileInUseException(name, "Failed to lock byte " + at);
                default -> new HostIoException(name, "lock of byte " + at, e);
            };
        }
    }

    /** Says whether anybody but this descriptor has a lock on the byte. */
    boolean takenByOther(int at) throws DiskException {
        ByteBuffer lock = lock(EXCLUSIVE, at);
        try {
            fcntl(descriptor, F_OFD_GETLK, lock);
            return lock.getShort(0) != NONE;
        } catch (LastErrorException e) {
            throw new HostIoException(name, "look at the lock of byte " + at, e);
        }
    }

    @Override
    public void close() {
        close(descriptor);
    }
}
