package dev.qcow2.conformance.image;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostFile;
import java.nio.ByteBuffer;

/**
 * A directory in which one image can be changed, in memory only, and all other files are read as
 * they are.
 */
public final class CopyOnWriteDirectory implements HostDirectory {

    private final HostDirectory originals;
    private final String imageName;
    private final boolean efficientZeroing;
    private CopyOnWriteFile image;

    /**
     * Makes a view of a directory.
     *
     * @param originals where the files are; nothing is written there
     * @param imageName the image that can be changed
     * @param original an open handle on it, which stays the caller's
     * @param efficientZeroing false to play a host that says no to efficient zeroing
     * @throws DiskException if the host fails
     */
    public CopyOnWriteDirectory(HostDirectory originals, String imageName, HostFile original, boolean efficientZeroing)
            throws DiskException {
        this.originals = originals;
        this.imageName = imageName;
        this.efficientZeroing = efficientZeroing;
        this.image = new CopyOnWriteFile(original);
    }

    /**
     * Puts other bytes in the image's place.
     *
     * @param content the new bytes
     * @throws DiskException never, for they are in memory
     */
    public void replace(MemoryFileContent content) throws DiskException {
        image = new CopyOnWriteFile(new MemoryHostFile(imageName, content, Access.READ_ONLY, true));
    }

    @Override
    public HostFile open(String fileName, Access access) throws DiskException {
        if (fileName.equals(imageName)) {
            return new Handle(image, access);
        }
        if (access == Access.READ_WRITE) {
            throw new HostIoException(fileName, "open for writing: only the image itself may change", null);
        }
        return originals.open(fileName, access);
    }

    @Override
    public HostFile create(String fileName) throws DiskException {
        throw new HostIoException(fileName, "create: only the image itself may change", null);
    }

    @Override
    public String resolve(String name, String reference) throws DiskException {
        return originals.resolve(name, reference);
    }

    @Override
    public Object identity(String fileName) throws DiskException {
        return originals.identity(fileName);
    }

    private final class Handle implements HostFile {
        private final CopyOnWriteFile file;
        private final Access access;
        private volatile boolean closed;

        Handle(CopyOnWriteFile file, Access access) {
            this.file = file;
            this.access = access;
        }

        @Override
        public String name() {
            return imageName;
        }

        @Override
        public long size() throws DiskException {
            return file.size();
        }

        @Override
        public int read(long hostOffset, ByteBuffer into) throws DiskException {
            requireOpen();
            return file.read(hostOffset, into);
        }

        @Override
        public void write(long hostOffset, ByteBuffer from) throws DiskException {
            requireWritable();
            file.write(hostOffset, from);
        }

        @Override
        public boolean zero(long hostOffset, long length) throws DiskException {
            requireWritable();
            if (efficientZeroing) {
                file.zero(hostOffset, length);
            }
            return efficientZeroing;
        }

        @Override
        public boolean punchHole(long hostOffset, long length) throws DiskException {
            requireWritable();
            if (efficientZeroing) {
                file.punchHole(hostOffset, length);
            }
            return efficientZeroing;
        }

        @Override
        public void truncate(long size) throws DiskException {
            requireWritable();
            file.truncate(size);
        }

        @Override
        public void flush() throws DiskException {
            requireOpen();
        }

        @Override
        public void close() {
            closed = true;
        }

        private void requireOpen() throws DiskException {
            if (closed) {
                throw new HostIoException(imageName, "a request on a closed file", null);
            }
        }

        private void requireWritable() throws DiskException {
            requireOpen();
            if (access == Access.READ_ONLY) {
                throw new HostIoException(imageName, "a change of a file opened read-only", null);
            }
        }
    }
}
