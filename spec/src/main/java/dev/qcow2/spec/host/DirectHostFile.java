package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A file that bypasses the host's page cache.
 *
 * <p>The host then takes only requests whose offset, length and memory address are multiples of its
 * block size. Requests that are go straight through; others pass through an aligned buffer, and a
 * write that covers a part of a block reads the rest of it first. Writes of whole blocks run at the
 * same time; those with parts of blocks run alone, for two of them might share a block.
 */
public final class DirectHostFile implements HostFile {

    private static final int BOUNCE_BYTES = 1 << 20;

    private final RealHostFile file;
    private final FileChannel channel;
    private final int block;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final ConcurrentLinkedQueue<ByteBuffer> bounceBuffers = new ConcurrentLinkedQueue<>();
    // The device holds whole blocks; the length that was asked for may end inside one.
    private long size;

    private DirectHostFile(RealHostFile file, FileChannel channel, int block, long size) {
        this.file = file;
        this.channel = channel;
        this.block = block;
        this.size = size;
    }

    /**
     * Opens a file without locking it.
     *
     * @param path where it is
     * @param durability what a flush does
     * @param options as for {@link FileChannel#open(Path, OpenOption...)}; reading must be among them
     * @return the open file
     * @throws DiskException if the host refuses, for instance because its file system has no direct I/O
     */
    public static DirectHostFile open(Path path, RealHostFile.Durability durability, OpenOption... options)
            throws DiskException {
        return open(path, durability, null, options);
    }

    /** As above; the locks are given back when the file is closed. */
    static DirectHostFile open(
            Path path, RealHostFile.Durability durability, ImageLocks.@Nullable Share share, OpenOption... options)
            throws DiskException {
        RealHostFile file = RealHostFile.open(path, durability, share, options);
        try {
            OpenOption[] direct = Arrays.copyOf(options, options.length + 1, OpenOption[].class);
            direct[options.length] = directOption();
            int block = Math.toIntExact(Files.getFileStore(path).getBlockSize());
            return new DirectHostFile(file, FileChannel.open(path, direct), block, file.size());
        } catch (IOException | UnsupportedOperationException e) {
            file.close();
            throw new HostIoException(path.toString(), "open for direct I/O", e);
        }
    }

    /** The JDK's option is not part of Java's own interface, and compilers warn of its name: it is looked up. */
    private static OpenOption directOption() {
        try {
            Object[] known =
                    Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants();
            return Stream.of(known)
                    .filter(option -> option.toString().equals("DIRECT"))
                    .map(OpenOption.class::cast)
                    .findFirst()
                    .orElseThrow(() -> new UnsupportedOperationException("no direct I/O in this JDK"));
        } catch (ClassNotFoundException e) {
            throw new UnsupportedOperationException("no direct I/O in this JDK", e);
        }
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public long size() {
        lock.readLock().lock();
        try {
            return size;
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        lock.readLock().lock();
        try {
            int wanted = (int) Math.max(0, Math.min(into.remaining(), size - hostOffset));
            if (wanted == into.remaining() && isAligned(hostOffset, into)) {
                return Math.max(0, channel.read(into, hostOffset));
            }
            for (int done = 0; done < wanted; ) {
                done += readThroughBounce(hostOffset + done, into, wanted - done);
            }
            return wanted;
        } catch (IOException e) {
            throw new HostIoException(name(), "direct read at " + hostOffset, e);
        } finally {
            lock.readLock().unlock();
        }
    }

    private int readThroughBounce(long hostOffset, ByteBuffer into, int wanted) throws IOException {
        ByteBuffer bounce = takeBounce();
        try {
            long first = hostOffset & -block;
            int skip = (int) (hostOffset - first);
            int length = Math.min(wanted, BOUNCE_BYTES - skip);
            readBlocks(first, bounce, roundUp(skip + length));
            into.put(bounce.position(skip).limit(skip + length));
            return length;
        } finally {
            bounceBuffers.add(bounce);
        }
    }

    private void readBlocks(long first, ByteBuffer bounce, int length) throws IOException {
        bounce.clear().limit(length);
        while (bounce.hasRemaining() && channel.read(bounce, first + bounce.position()) > 0) {
            // The end of the file may cut the last block short.
            if (bounce.position() % block != 0) {
                break;
            }
        }
        while (bounce.hasRemaining()) {
            bounce.put((byte) 0);
        }
        bounce.flip();
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        file.requireWritable("direct write at ", hostOffset);
        if (!from.hasRemaining()) {
            return;
        }
        try {
            if (isAligned(hostOffset, from) && writeWithinFile(hostOffset, from)) {
                return;
            }
            lock.writeLock().lock();
            try {
                writeAlone(hostOffset, from);
            } finally {
                lock.writeLock().unlock();
            }
        } catch (IOException e) {
            throw new HostIoException(name(), "direct write at " + hostOffset, e);
        }
    }

    /** Writes whole blocks while others do the same; says no if the file must grow for it. */
    private boolean writeWithinFile(long hostOffset, ByteBuffer from) throws IOException {
        lock.readLock().lock();
        try {
            if (hostOffset + from.remaining() > size) {
                return false;
            }
            writeFully(hostOffset, from);
            return true;
        } finally {
            lock.readLock().unlock();
        }
    }

    private void writeAlone(long hostOffset, ByteBuffer from) throws IOException {
        long end = Math.addExact(hostOffset, from.remaining());
        if (isAligned(hostOffset, from)) {
            writeFully(hostOffset, from);
        }
        while (from.hasRemaining()) {
            writeThroughBounce(end - from.remaining(), from);
        }
        size = Math.max(size, end);
    }

    private void writeThroughBounce(long hostOffset, ByteBuffer from) throws IOException {
        ByteBuffer bounce = takeBounce();
        try {
            long first = hostOffset & -block;
            int skip = (int) (hostOffset - first);
            int length = Math.min(from.remaining(), BOUNCE_BYTES - skip);
            int whole = roundUp(skip + length);
            if (skip != 0 || skip + length != whole) {
                readBlocks(first, bounce, whole);
            }
            bounce.clear().position(skip);
            bounce.put(from.slice().limit(length));
            from.position(from.position() + length);
            bounce.position(0).limit(whole);
            writeFully(first, bounce);
        } finally {
            bounceBuffers.add(bounce);
        }
    }

    private void writeFully(long hostOffset, ByteBuffer from) throws IOException {
        long at = hostOffset;
        while (from.hasRemaining()) {
            at += channel.write(from, at);
        }
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        lock.writeLock().lock();
        try {
            boolean done = file.zero(hostOffset, length);
            if (done) {
                size = Math.max(size, hostOffset + length);
            }
            return done;
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        return file.punchHole(hostOffset, length);
    }

    @Override
    public HostExtent extent(long hostOffset) throws DiskException {
        HostExtent found = file.extent(hostOffset);
        return new HostExtent(found.hole(), Math.min(found.end(), size()));
    }

    @Override
    public OptionalLong allocatedBytes() {
        return file.allocatedBytes();
    }

    @Override
    public void truncate(long newSize) throws DiskException {
        lock.writeLock().lock();
        try {
            cutToSize();
            file.truncate(newSize);
            size = newSize;
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void flush() throws DiskException {
        lock.writeLock().lock();
        try {
            cutToSize();
            file.flush();
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void close() throws DiskException {
        lock.writeLock().lock();
        try {
            if (channel.isOpen()) {
                channel.close();
                cutToSize();
                file.close();
            }
        } catch (IOException e) {
            throw new HostIoException(name(), "close", e);
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void cutToSize() throws DiskException {
        // Who only reads has not made the file longer, somebody else may have (QC-GUEST-07).
        if (file.writable() && file.size() > size) {
            file.truncate(size);
        }
    }

    private boolean isAligned(long hostOffset, ByteBuffer buffer) {
        return hostOffset % block == 0
                && buffer.remaining() % block == 0
                && buffer.isDirect()
                && buffer.alignmentOffset(buffer.position(), block) == 0;
    }

    private ByteBuffer takeBounce() {
        ByteBuffer pooled = bounceBuffers.poll();
        return pooled == null ? ByteBuffer.allocateDirect(BOUNCE_BYTES + block).alignedSlice(block) : pooled.clear();
    }

    private int roundUp(int length) {
        return (length + block - 1) / block * block;
    }
}
