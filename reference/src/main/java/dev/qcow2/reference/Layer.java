package dev.qcow2.reference;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** One image of a backing chain, together with all below it: something that can be read. */
interface Layer extends AutoCloseable {

    /** Bytes that it covers. */
    long size() throws DiskException;

    /** Fills a buffer; the whole range lies inside {@link #size()}. */
    void read(long offset, ByteBuffer into) throws DiskException;

    /** Says what is known of a range inside {@link #size()}; {@code depth} is this layer's own. */
    void status(long offset, long length, int depth, Extents out) throws DiskException;

    @Override
    void close() throws DiskException;

    /** Collects extents in ascending order and joins neighbours that say the same. */
    final class Extents {

        private final List<BlockStatus> list = new ArrayList<>();

        void add(BlockStatus next) {
            int last = list.size() - 1;
            if (last >= 0 && list.get(last).joins(next)) {
                BlockStatus old = list.get(last);
                list.set(
                        last,
                        new BlockStatus(
                                old.guestOffset(),
                                old.length() + next.length(),
                                old.content(),
                                old.allocated(),
                                old.depth()));
            } else {
                list.add(next);
            }
        }

        List<BlockStatus> list() {
            return List.copyOf(list);
        }
    }

    /**
     * A raw backing file: its bytes are the disk's bytes.
     *
     * @param file open read-only
     * @param size its length when it was opened
     */
    record Raw(HostFile file, long size) implements Layer {

        @Override
        public void read(long offset, ByteBuffer into) throws DiskException {
            file.readZeroPadded(offset, into);
        }

        @Override
        public void status(long offset, long length, int depth, Extents out) {
            out.add(new BlockStatus(offset, length, Content.DATA, true, depth));
        }

        @Override
        public void close() throws DiskException {
            file.close();
        }
    }
}
