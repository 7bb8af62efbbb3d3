package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.NoSpaceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A file of the host's file system. */
public final class RealHostFile implements HostFile {

    /** What a flush does. */
    public enum Durability {
        /** It waits until the device has the bytes. */
        FLUSH_TO_DEVICE,
        /** Nothing: for files that need not outlive the machine, such as those of a test campaign. */
        NONE
    }

    private final Path path;
    private final FileChannel channel;
    private final Durability durability;
    private final boolean writable;
    private final @Nullable LinuxFile linux;
    private final ImageLocks.@Nullable Share share;
    private @Nullable SparseFile sparse;

    private RealHostFile(
            Path path, FileChannel channel, Durability durability, boolean writable, ImageLocks.@Nullable Share share) {
        this.share = share;
        this.path = path;
        this.channel = channel;
        this.durability = durability;
        this.writable = writable;
        // It has a descriptor of its own, which must not be able to do more than the channel (QC-GUEST-07).
        this.linux = writable ? LinuxFile.open(path) : null;
    }

    /**
     * Opens a file without locking it.
     *
     * @param path where it is
     * @param durability what a flush does
     * @param options as for {@link FileChannel#open(Path, OpenOption...)}
     * @return the open file
     * @throws DiskException if the host refuses
     */
    public static RealHostFile open(Path path, Durability durability, OpenOption... options) throws DiskException {
        return open(path, durability, null, options);
    }

    /** As above; the locks are given back when the file is closed. */
    static RealHostFile open(Path path, Durability durability, ImageLocks.@Nullable Share share, OpenOption... options)
            throws DiskException {
        try {
            FileChannel channel = FileChannel.open(path, options);
            boolean writable = List.of(options).contains(StandardOpenOption.WRITE);
            return new RealHostFile(path, channel, durability, writable, share);
        } catch (IOException | UnsupportedOperationException e) {
            throw new HostIoException(path.toString(), "open", e);
        }
    }

    @Override
    public String name() {
        return path.toString();
    }

    @Override
    public long size() throws DiskException {
        try {
            return channel.size();
        } catch (IOException e) {
            throw failure("size", e);
        }
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        int total = 0;
        try {
            while (into.hasRemaining()) {
                int step = channel.read(into, hostOffset + total);
                if (step < 0) {
                    break;
                }
                total += step;
            }
            return total;
        } catch (IOException e) {
            throw failure("read at " + hostOffset, e);
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        requireWritable("write at ", hostOffset);
        long at = hostOffset;
        try {
            while (from.hasRemaining()) {
                at += channel.write(from, at);
            }
        } catch (IOException e) {
            throw failure("write at " + at, e);
        }
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        requireWritable("zero at ", hostOffset);
        return linux != null && linux.zeroRange(hostOffset, length);
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        requireWritable("punch hole at ", hostOffset);
        return linux != null && linux.punchHole(hostOffset, length);
    }

    @Override
    public HostExtent extent(long hostOffset) throws DiskException {
        SparseFile known = sparse();
        return known == null ? HostFile.super.extent(hostOffset) : known.extent(hostOffset, size());
    }

    @Override
    public OptionalLong allocatedBytes() {
        SparseFile known = sparse();
        return known == null ? OptionalLong.empty() : known.allocatedBytes();
    }

    /** Most files are never asked for their holes, so the descriptor for it is opened by the first question. */
    private synchronized @Nullable SparseFile sparse() {
        if (sparse == null && channel.isOpen()) {
            sparse = SparseFile.open(path);
        }
        return sparse;
    }

    @Override
    public void truncate(long size) throws DiskException {
        requireWritable("truncate to ", size);
        try {
            long old = channel.size();
            if (size < old) {
                channel.truncate(size);
            } else if (size > old) {
                grow(size);
            }
        } catch (IOException e) {
            throw failure("truncate to " + size, e);
        }
    }

    private void grow(long size) throws IOException, DiskException {
        if (linux != null) {
            linux.setSize(size);
        } else {
            // FileChannel can't grow a file but by writing to it; the last byte is past the old end.
            channel.write(ByteBuffer.allocate(1), size - 1);
        }
    }

    @Override
    public void flush() throws DiskException {
        if (durability == Durability.NONE) {
            return;
        }
        try {
            channel.force(false);
        } catch (IOException e) {
            throw failure("flush", e);
        }
    }

    @Override
    public synchronized void close() throws DiskException {
        try {
            if (sparse != null) {
                sparse.close();
            }
            if (linux != null) {
                linux.close();
            }
            channel.close();
        } catch (IOException e) {
            throw failure("close", e);
        } finally {
            if (share != null) {
                share.close();
            }
        }
    }

    boolean writable() {
        return writable;
    }

    void requireWritable(String operation, long at) throws DiskException {
        if (!writable) {
            throw new HostIoException(name(), operation + at + " on a file opened read-only", null);
        }
    }

    private DiskException failure(String operation, IOException cause) {
        String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
        // Java has no exception of its own for a full device or an exceeded quota.
        return message.contains("no space left") || message.contains("quota exceeded")
                ? new NoSpaceException(name(), operation)
                : new HostIoException(name(), operation, cause);
    }
}
