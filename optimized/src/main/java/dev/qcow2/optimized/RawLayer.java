package dev.qcow2.optimized;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** A raw backing file: its bytes are the disk's bytes, and all of them count as data. */
final class RawLayer implements Layer {

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
    public void close() throws DiskException {
        host.close();
    }
}
