package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Files of the host's file system; relative names start at one directory. */
public final class RealHostDirectory implements HostDirectory {

    private final Path base;
    private final RealHostFile.Durability durability;
    private final Caching caching;

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
        this.base = base;
        this.durability = durability;
        this.caching = caching;
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
        return access == Access.READ_ONLY
                ? openFile(path, StandardOpenOption.READ)
                : openFile(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Override
    public HostFile create(String fileName) throws DiskException {
        return openFile(
                path(fileName),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING);
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

    private HostFile openFile(Path path, StandardOpenOption... options) throws DiskException {
        return caching == Caching.DIRECT
                ? DirectHostFile.open(path, durability, options)
                : RealHostFile.open(path, durability, options);
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
