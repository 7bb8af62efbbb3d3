package dev.qcow2.conformance.io;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;

/** Keeps in the image what was read from its backing files, cluster by cluster. */
final class CopyOnRead {

    private static final int AT_ONCE = 1 << 20;

    private CopyOnRead() {}

    /** Copies up the clusters that a range touches. Nobody may write to them at the same time. */
    static void copy(VirtualDisk disk, long clusterSize, long offset, long length) throws DiskException {
        if (length == 0) {
            return;
        }
        long start = offset / clusterSize * clusterSize;
        long end = Math.min(disk.size(), (offset + length + clusterSize - 1) / clusterSize * clusterSize);
        for (BlockStatus extent : disk.status(start, end - start)) {
            if (extent.allocated() && extent.depth() == 0) {
                continue;
            }
            if (extent.content() == BlockStatus.Content.ZERO) {
                disk.writeZeroes(extent.guestOffset(), extent.length(), VirtualDisk.ZeroMode.KEEP_ALLOCATION);
            } else {
                copyData(disk, extent.guestOffset(), extent.end());
            }
        }
    }

    private static void copyData(VirtualDisk disk, long start, long end) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(AT_ONCE, end - start));
        for (long at = start; at < end; at += bytes.capacity()) {
            bytes.clear().limit((int) Math.min(bytes.capacity(), end - at));
            disk.read(at, bytes);
            disk.write(at, bytes.flip());
        }
    }
}
