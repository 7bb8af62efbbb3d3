package dev.qcow2.optimized;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Copies into an image what it shows of its old backing file, wherever the new one has other bytes (QC-MNT-25). */
final class Rebase {

    private static final int LEAST_STEP = 1 << 20;
    private static final long LEAST_LOOK = 64L << 20;
    // A disk may claim to be so long that nobody could go over it in steps of a fixed length.
    private static final int MOST_LOOKS = 1 << 16;

    private final VirtualDisk disk;
    private final @Nullable Layer future;
    private final int unit;
    private final int step;
    private final byte[] before;
    private final byte[] after;
    private final Run scratch = new Run();

    /**
     * Gets ready.
     *
     * @param unit bytes of a cluster or, where the image has them, of a subcluster
     */
    Rebase(VirtualDisk disk, @Nullable Layer future, int unit) {
        this.disk = disk;
        this.future = future;
        this.unit = unit;
        this.step = Math.max(LEAST_STEP, unit);
        this.before = new byte[step];
        this.after = new byte[step];
    }

    void copyUp() throws DiskException {
        long look = Math.max(LEAST_LOOK, (disk.size() / MOST_LOOKS + unit - 1) / unit * unit);
        for (long at = 0; at < disk.size(); at += look) {
            long end = Math.min(disk.size(), at + look);
            long done = at;
            for (BlockStatus extent : disk.status(at, end - at)) {
                // Whole units: what is kept of one is kept by an entry or a copy of its own.
                long from = Math.max(done, extent.guestOffset() / unit * unit);
                long to = Math.min(end, (extent.end() + unit - 1) / unit * unit);
                if (!isOwn(extent) && from < to && !staysZero(extent, from, to)) {
                    copyUp(from, to);
                    done = to;
                }
            }
        }
    }

    private boolean staysZero(BlockStatus extent, long from, long to) throws DiskException {
        return extent.content() == BlockStatus.Content.ZERO
                && (future == null || Layer.readsAsZeroPadded(future, from, to - from, scratch));
    }

    private void copyUp(long from, long to) throws DiskException {
        for (long at = from; at < to; at += step) {
            compare(at, (int) Math.min(step, to - at));
        }
    }

    private void compare(long offset, int length) throws DiskException {
        disk.read(offset, ByteBuffer.wrap(before, 0, length));
        if (future == null) {
            Arrays.fill(after, 0, length, (byte) 0);
        } else {
            Layer.readPadded(future, offset, ByteBuffer.wrap(after, 0, length));
        }
        for (int at = 0; at < length; ) {
            int end = Math.min(length, at + unit);
            if (!Arrays.equals(before, at, end, after, at, end)) {
                keep(offset + at, before, at, end);
            }
            at = end;
        }
    }

    private void keep(long offset, byte[] bytes, int from, int to) throws DiskException {
        boolean zero = true;
        for (int at = from; zero && at < to; at++) {
            zero = bytes[at] == 0;
        }
        if (zero) {
            disk.writeZeroes(offset, to - from, ZeroMode.MAY_UNMAP);
        }
        // What reads as zero over today's backing file may still be nobody's: then only data hides what the new file
        // holds.
        if (!zero || !isOwn(offset, to - from)) {
            disk.write(offset, ByteBuffer.wrap(bytes, from, to - from));
        }
    }

    private boolean isOwn(long offset, int length) throws DiskException {
        return disk.status(offset, length).stream().allMatch(Rebase::isOwn);
    }

    private static boolean isOwn(BlockStatus extent) {
        return extent.allocated() && extent.depth() == 0;
    }
}
