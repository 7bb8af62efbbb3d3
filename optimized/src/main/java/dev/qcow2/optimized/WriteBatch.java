package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;

/**
 * Dirty slices on their way to the file. They are copied while the metadata lock is held, and written when it is not, so
 * requests go on meanwhile; neighbours are written with one host write.
 */
final class WriteBatch {

    private static final Comparator<Slice> BY_OFFSET = Comparator.comparingLong(slice -> slice.hostOffset);

    private List<Slice> slices = List.of();
    private ByteBuffer staging = ByteBuffer.allocate(0);

    /** Takes slices over; the metadata lock is held. */
    void stage(List<Slice> dirty) {
        slices = dirty;
        if (dirty.isEmpty()) {
            return;
        }
        dirty.sort(BY_OFFSET);
        int bytes = 0;
        for (Slice slice : dirty) {
            bytes += slice.bytes.length;
        }
        if (staging.capacity() < bytes) {
            staging = ByteBuffer.allocateDirect(Integer.highestOneBit(bytes - 1) << 1);
        }
        staging.clear();
        for (Slice slice : dirty) {
            staging.put(slice.bytes);
            slice.dirty = false;
            slice.writing = true;
        }
    }

    boolean isEmpty() {
        return slices.isEmpty();
    }

    /** Writes the copies. */
    void write(HostFile host) throws DiskException {
        int at = 0;
        for (int i = 0; i < slices.size(); ) {
            long start = slices.get(i).hostOffset;
            int length = 0;
            while (i < slices.size() && slices.get(i).hostOffset == start + length) {
                length += slices.get(i).bytes.length;
                i++;
            }
            staging.limit(at + length).position(at);
            host.write(start, staging);
            at += length;
        }
    }

    /** Ends the batch after the file has it; the metadata lock is held. */
    void settle() {
        for (Slice slice : slices) {
            slice.writing = false;
        }
        forget();
    }

    /** Ends the batch after a failure: what may not have reached the file is dirty again. The metadata lock is held. */
    void giveBack(SliceCache cache) {
        for (Slice slice : slices) {
            slice.writing = false;
            cache.markDirty(slice);
        }
        forget();
    }

    /** As {@link #giveBack(SliceCache)}, for a table that the header names. */
    void giveBack(RootTable table) {
        for (Slice slice : slices) {
            slice.writing = false;
            table.markDirty(slice);
        }
        forget();
    }

    private void forget() {
        if (!slices.isEmpty()) {
            slices.clear();
        }
        slices = List.of();
    }
}
