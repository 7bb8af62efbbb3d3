package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** Passes every request on to another file: the base of wrappers that record, count or fail. */
public abstract class ForwardingHostFile implements HostFile {

    private final HostFile target;

    /**
     * Wraps a file.
     *
     * @param target where requests go
     */
    protected ForwardingHostFile(HostFile target) {
        this.target = target;
    }

    /**
     * Returns the wrapped file.
     *
     * @return where requests go
     */
    protected final HostFile target() {
        return target;
    }

    @Override
    public String name() {
        return target.name();
    }

    @Override
    public long size() throws DiskException {
        return target.size();
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        return target.read(hostOffset, into);
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        target.write(hostOffset, from);
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        return target.zero(hostOffset, length);
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        return target.punchHole(hostOffset, length);
    }

    @Override
    public HostExtent extent(long hostOffset) throws DiskException {
        return target.extent(hostOffset);
    }

    @Override
    public OptionalLong allocatedBytes() throws DiskException {
        return target.allocatedBytes();
    }

    @Override
    public void truncate(long size) throws DiskException {
        target.truncate(size);
    }

    @Override
    public void flush() throws DiskException {
        target.flush();
    }

    @Override
    public void close() throws DiskException {
        target.close();
    }
}
