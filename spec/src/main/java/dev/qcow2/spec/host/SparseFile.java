package dev.qcow2.spec.host;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What Linux knows of the space that a file takes, and Java can not ask for: where its holes are, and how many blocks it has. It has
 * a file descriptor of its own, opened for reading; where the host can't answer, all of the file counts as data.
 */
final class SparseFile implements AutoCloseable {

    private static final int O_RDONLY = 0;
    private static final int O_CLOEXEC = 02000000;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int ENXIO = 6;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BLOCKS = 0x400;
    private static final int STATX_BYTES = 256;
    private static final int BLOCKS_AT = 48;
    private static final int BLOCK_BYTES = 512;

    private static final boolean AVAILABLE = CLibrary.register(SparseFile.class);

    private final int descriptor;
    private boolean closed;

    private SparseFile(int descriptor) {
        this.descriptor = descriptor;
    }

    private static native int open(String path, int flags) throws LastErrorException;

    private static native int close(int descriptor) throws LastErrorException;

    private static native long lseek(int descriptor, long offset, int whence) throws LastErrorException;

    private static native int statx(int directory, String path, int flags, int mask, byte[] into)
            throws LastErrorException;

    /** Returns null where the host can't be asked. */
    static @Nullable SparseFile open(Path path) {
        if (!AVAILABLE) {
            return null;
        }
        try {
            return new SparseFile(open(path.toString(), O_RDONLY | O_CLOEXEC));
        } catch (LastErrorException e) {
            return null;
        }
    }

    /** Finds the run that begins at an offset inside the file. */
    synchronized HostExtent extent(long offset, long size) {
        // The host gives the number of a closed descriptor to the next file that anybody opens.
        if (closed) {
            return new HostExtent(false, size);
        }
        try {
            long data = lseek(descriptor, offset, SEEK_DATA);
            if (data > offset) {
                return new HostExtent(true, Math.min(data, size));
            }
            long hole = lseek(descriptor, offset, SEEK_HOLE);
            return new HostExtent(false, hole > offset ? Math.min(hole, size) : size);
        } catch (LastErrorException e) {
            // No such address: no data from here to the end. Anything else: a file system that knows no holes.
            return new HostExtent(e.getErrorCode() == ENXIO, size);
        }
    }

    /** Returns the bytes that the file takes on its device. */
    synchronized OptionalLong allocatedBytes() {
        if (closed) {
            return OptionalLong.empty();
        }
        byte[] answer = new byte[STATX_BYTES];
        try {
            statx(descriptor, "", AT_EMPTY_PATH, STATX_BLOCKS, answer);
        } catch (LastErrorException e) {
            return OptionalLong.empty();
        }
        long blocks = ByteBuffer.wrap(answer).order(ByteOrder.nativeOrder()).getLong(BLOCKS_AT);
        return OptionalLong.of(blocks * BLOCK_BYTES);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            close(descriptor);
        }
    }
}
