package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.ImageLocks.Use;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Files of the host's file system; relative names start at one directory.
 *
 * <p>One object is one user of its files: they are locked against other programs and other objects of this class, and
 * handles of the same object don't stand in each other's way.
 */
public final class RealHostDirectory implements HostDirectory {

    private final Path base;
    private final RealHostFile.Durability durability;
    private final Caching caching;
    private final Locking locking;
    private final ImageLocks locks = new ImageLocks();

    /** Which locks are taken on the files, see {@link #withLocking}. */
    public enum Locking {
        /** Those that QEMU takes: nobody else may write to a file that is open here; a writer needs that nobody else reads it. */
        LIKE_QEMU,
        /** As {@code -U} of QEMU's tools: files that are opened read-only are read whatever others do to them. */
        FORCE_SHARE,
        /** None: for hosts whose file system has no locks. */
        OFF
    }

    /** Whether files pass through the host's page cache. */
    public enum Caching {
        /** They do. */
        PAGE_CACHE,
        /** They don't: see {@link DirectHostFile}. */
        DIRECT
    }

    /**
     * Makes a view of a directory whose files survive power cuts once they are flushed.
     *
     * @param base where relative names start
     */
    public RealHostDirectory(Path base) {
        this(base, RealHostFile.Durability.FLUSH_TO_DEVICE);
    }

    /**
     * Makes a view of a directory.
     *
     * @param base where relative names start
     * @param durability what a flush does
     */
    public RealHostDirectory(Path base, RealHostFile.Durability durability) {
        this(base, durability, Caching.PAGE_CACHE);
    }

    /**
     * Makes a view of a directory.
     *
     * @param base where relative names start
     * @param durability what a flush does
     * @param caching whether files pass through the page cache
     */
    public RealHostDirectory(Path base, RealHostFile.Durability durability, Caching caching) {
        this(base, durability, caching, Locking.LIKE_QEMU);
    }

    private RealHostDirectory(Path base, RealHostFile.Durability durability, Caching caching, Locking locking) {
        this.base = base;
        this.durability = durability;
        this.caching = caching;
        this.locking = locking;
    }

    /**
     * Returns a view of the same directory with other locks.
     *
     * @param newLocking which locks its files take
     * @return another user of the files: what one has open counts for the other as if it were another program
     */
    public RealHostDirectory withLocking(Locking newLocking) {
        return new RealHostDirectory(base, durability, caching, newLocking);
    }

    @Override
    public HostFile open(String fileName, Access access) throws DiskException {
        Path path = path(fileName);
        if (!Files.exists(path)) {
            throw new HostIoException(fileName, "open: no such file", null);
        }
        // A device or a pipe named by an image could block for ever or have side effects.
        if (!Files.isRegularFile(path)) {
            throw new HostIoException(fileName, "open: not a regular file", null);
        }
        // Locked before it is opened: whoever has it may be about to replace what would be read first.
        ImageLocks.@Nullable Share share = lock(path, access);
        return openFile(
                path,
                share,
                access == Access.READ_ONLY
                        ? new OpenOption[] {StandardOpenOption.READ}
                        : new OpenOption[] {StandardOpenOption.READ, StandardOpenOption.WRITE});
    }

    @Override
    public HostFile create(String fileName) throws DiskException {
        Path path = path(fileName);
        makeSureItExists(path);
        // An image that somebody has open keeps its bytes: it is locked before it is emptied.
        ImageLocks.@Nullable Share share = lock(path, Access.READ_WRITE);
        return openFile(
                path,
                share,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING);
    }

    private static void makeSureItExists(Path path) throws DiskException {
        try {
            FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE)
                    .close();
        } catch (IOException | UnsupportedOperationException e) {
            throw new HostIoException(path.toString(), "create", e);
        }
    }

    private ImageLocks.@Nullable Share lock(Path path, Access access) throws DiskException {
        return switch (locking) {
            case LIKE_QEMU -> locks.take(path, access == Access.READ_ONLY ? Use.READ : Use.WRITE);
            case FORCE_SHARE -> locks.take(path, access == Access.READ_ONLY ? Use.READ_SHARED : Use.WRITE);
            case OFF -> null;
        };
    }

    @Override
    public String resolve(String imageName, String reference) throws DiskException {
        Path parent = path(imageName).getParent();
        Path target = toPath(reference);
        return (parent == null ? target : parent.resolve(target)).toString();
    }

    @Override
    public Object identity(String fileName) throws DiskException {
        try {
            return path(fileName).toRealPath();
        } catch (IOException e) {
            throw new HostIoException(fileName, "look-up", e);
        }
    }

    private HostFile openFile(Path path, ImageLocks.@Nullable Share share, OpenOption... options) throws DiskException {
        boolean done = false;
        try {
            HostFile file = caching == Caching.DIRECT
                    ? DirectHostFile.open(path, durability, share, options)
                    : RealHostFile.open(path, durability, share, options);
            done = true;
            return file;
        } finally {
            if (!done && share != null) {
                share.close();
            }
        }
    }

    private Path path(String fileName) throws DiskException {
        return base.resolve(toPath(fileName));
    }

    private static Path toPath(String name) throws DiskException {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new HostIoException(name, "not a file name on this host", e);
        }
    }
}
