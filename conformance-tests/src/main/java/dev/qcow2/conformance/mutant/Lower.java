package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.List;

/** What lies behind an image: another image, or a raw file. Ranges stay inside its size. */
interface Lower {

    long size() throws DiskException;

    void fetch(long offset, ByteBuffer into) throws DiskException;

    List<BlockStatus> extents(long offset, long length) throws DiskException;

    void release() throws DiskException;

    /** A raw file is data from its first byte to its last. */
    static Lower raw(HostFile file) {
        return new Lower() {
            @Override
            public long size() throws DiskException {
                return file.size();
            }

            @Override
            public void fetch(long offset, ByteBuffer into) throws DiskException {
                file.readZeroPadded(offset, into);
            }

            @Override
            public List<BlockStatus> extents(long offset, long length) {
                return List.of(new BlockStatus(offset, length, BlockStatus.Content.DATA, true, 0));
            }

            @Override
            public void release() throws DiskException {
                file.close();
            }
        };
    }
}
