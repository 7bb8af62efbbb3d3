package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** A file whose first cluster is a copy in memory: what is written there is tried, and nothing is changed. */
final class FirstClusterCopy extends ForwardingHostFile {

    private final ByteBuffer cluster;

    FirstClusterCopy(HostFile host, int clusterSize) throws DiskException {
        super(host);
        cluster = ByteBuffer.allocate(clusterSize);
        host.readZeroPadded(0, cluster);
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) {
        int length = (int) Math.max(0, Math.min(into.remaining(), cluster.capacity() - hostOffset));
        into.put(cluster.slice(length == 0 ? 0 : (int) hostOffset, length));
        return length;
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) {
        cluster.put((int) hostOffset, from, from.position(), from.remaining());
        from.position(from.limit());
    }

    @Override
    public void flush() {
        // Nothing of it goes to the disk.
    }
}
