package dev.qcow2.conformance.img;

import dev.qcow2.conformance.img.DiskCopy.Manner;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;

/**
 * Writes pieces of data, and spares those parts that are zero. Zeros are looked for in units that lie at multiples of their own size: a
 * unit with one byte of data is data, and runs of zero units that are too short to be worth a gap are data, too.
 */
final class ChunkWriter {

    private final VirtualDisk target;
    private final Manner manner;
    private final long zeroUnit;

    ChunkWriter(VirtualDisk target, Manner manner) {
        this.target = target;
        this.manner = manner;
        this.zeroUnit =
                manner.compressed() ? manner.unit() : Math.max(Sectors.BYTES, Long.highestOneBit(manner.minSparse()));
    }

    /** Writes a piece; the buffer's content stays. */
    void write(long offset, ByteBuffer bytes) throws DiskException {
        if (manner.minSparse() == 0) {
            put(offset, bytes, 0, bytes.limit());
            return;
        }
        for (int at = 0; at < bytes.limit(); ) {
            int zeros = runEnd(offset, bytes, at, true);
            int data = dataEnd(offset, bytes, zeros);
            int from = zeros;
            if (data > zeros) {
                // What the target allocates is written as a whole, so that no holes are left in it.
                from = Math.max(at, (int) (zeros - (offset + zeros) % manner.unit()));
                data = (int) Math.min(bytes.limit(), Measurement.roundedUp(offset + data, manner.unit()) - offset);
            }
            if (from > at) {
                zero(offset + at, from - at);
            }
            if (data > from) {
                put(offset, bytes, from, data);
            }
            at = data;
        }
    }

    /** Finds the end of a run of units that are all zero, or all data. */
    private int runEnd(long offset, ByteBuffer bytes, int from, boolean zero) {
        int at = from;
        while (at < bytes.limit()) {
            int end = (int) Math.min(bytes.limit(), at + zeroUnit - (offset + at) % zeroUnit);
            if (Sectors.isZero(bytes, at, end) != zero) {
                return at;
            }
            at = end;
        }
        return at;
    }

    /** Finds the end of data, which goes on over gaps that are too short. */
    private int dataEnd(long offset, ByteBuffer bytes, int from) {
        int end = runEnd(offset, bytes, from, false);
        while (end < bytes.limit()) {
            int next = runEnd(offset, bytes, end, true);
            if (next - end >= manner.minSparse() || next == bytes.limit()) {
                break;
            }
            end = runEnd(offset, bytes, next, false);
        }
        return end;
    }

    private void put(long offset, ByteBuffer bytes, int from, int to) throws DiskException {
        ByteBuffer part = bytes.duplicate().limit(to).position(from);
        if (manner.compressed()) {
            target.writeCompressed(offset + from, wholeClusters(offset + from, part));
        } else {
            target.write(offset + from, part);
        }
    }

    /** A target that is longer than its source wants the rest of the last cluster, too. */
    private ByteBuffer wholeClusters(long offset, ByteBuffer part) throws DiskException {
        long end = offset + part.remaining();
        int missing = (int) ((manner.unit() - end % manner.unit()) % manner.unit());
        int more = (int) Math.max(0, Math.min(missing, target.size() - end));
        return more == 0
                ? part
                : ByteBuffer.allocate(part.remaining() + more).put(part).clear();
    }

    /** Sees to it that a range reads as zero. */
    void zero(long offset, long length) throws DiskException {
        long there = Math.min(length, target.size() - offset);
        if (!manner.targetIsZero() && there > 0) {
            target.writeZeroes(offset, there, ZeroMode.KEEP_ALLOCATION);
        }
    }
}
