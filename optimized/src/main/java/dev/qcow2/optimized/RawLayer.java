package dev.qcow2.optimized;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostExtent;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** A raw backing file: its bytes are the disk's bytes, and all of them count as data. */
final class RawLayer implements Layer {

    private static final long SECTOR = 512;

    private final HostFile host;
    private final long size;

    RawLayer(HostFile host) throws DiskException {
        this.host = host;
        this.size = host.size();
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long offset, ByteBuffer into) throws DiskException {
        host.readZeroPadded(offset, into);
    }

    @Override
    public boolean readsAsZero(long offset, long length, Run scratch) {
        // Whether the file has holes is not asked, so its bytes are data.
        return false;
    }

    @Override
    public void status(long offset, long length, int depth, StatusCollector into) {
        into.add(offset, length, BlockStatus.Content.DATA, true, depth);
    }

    @Override
    public long mappedSize() {
        return (size + SECTOR - 1) & -SECTOR;
    }

    @Override
    public void map(long offset, long length, int depth, MapCollector into) throws DiskException {
        long end = offset + length;
        for (long at = offset; at < end; ) {
            // The rest of the last sector is not in the file, and reads as a hole does.
            boolean inside = at < size;
            HostExtent run = inside ? host.extent(at) : new HostExtent(true, end);
            long stop = Math.min(end, inside ? Math.min(run.end(), size) : end);
            BlockStatus.Content content = run.hole() ? BlockStatus.Content.ZERO : BlockStatus.Content.DATA;
            into.add(at, stop - at, content, true, depth, OptionalLong.of(at));
            at = stop;
        }
    }

    @Override
    public void close() throws DiskException {
        host.close();
    }
}
