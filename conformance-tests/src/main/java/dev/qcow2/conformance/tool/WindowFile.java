package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostExtent;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** A part of a file: the members {@code offset} and {@code size} of the driver raw. */
final class WindowFile extends ForwardingHostFile {

    private final long start;
    private final OptionalLong length;

    /** The length is empty for all up to the file's end. */
    WindowFile(HostFile target, long start, OptionalLong length) throws DiskException {
        super(target);
        this.start = start;
        this.length = length;
        if (start > target.size() || length.orElse(0) > target.size() - start) {
            throw new HostIoException(target.name(), "open: offset and size exceed the file", null);
        }
    }

    @Override
    public long size() throws DiskException {
        return length.isPresent() ? length.getAsLong() : target().size() - start;
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        int limit = into.limit();
        long there = Math.max(0, Math.min(into.remaining(), size() - hostOffset));
        into.limit(into.position() + (int) there);
        try {
            return target().read(start + hostOffset, into);
        } finally {
            into.limit(limit);
        }
    }

    private void requireInside(long hostOffset, long count) throws DiskException {
        if (length.isPresent() && hostOffset + count > length.getAsLong()) {
            throw new HostIoException(name(), "access behind the window's end at " + hostOffset, null);
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        requireInside(hostOffset, from.remaining());
        target().write(start + hostOffset, from);
    }

    @Override
    public boolean zero(long hostOffset, long count) throws DiskException {
        requireInside(hostOffset, count);
        return target().zero(start + hostOffset, count);
    }

    @Override
    public boolean punchHole(long hostOffset, long count) throws DiskException {
        requireInside(hostOffset, count);
        return target().punchHole(start + hostOffset, count);
    }

    /** Where the window begins in the file. */
    long start() {
        return start;
    }

    @Override
    public HostExtent extent(long hostOffset) throws DiskException {
        HostExtent run = target().extent(start + hostOffset);
        return new HostExtent(run.hole(), Math.min(run.end() - start, size()));
    }

    @Override
    public void truncate(long newSize) throws DiskException {
        requireInside(newSize, 0);
        if (length.isEmpty()) {
            target().truncate(start + newSize);
        }
    }
}
