package dev.qcow2.optimized;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** Writes all that an overlay has of its own into its backing file, and waits until the disk has it (QC-MNT-21). */
final class CommitToBacking {

    private static final int STEP = 1 << 20;
    private static final long LEAST_LOOK = 64L << 20;
    // A disk may claim to be so long that nobody could go over it in steps of a fixed length.
    private static final int MOST_LOOKS = 1 << 16;

    private final VirtualDisk overlay;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(STEP);

    CommitToBacking(VirtualDisk overlay) {
        this.overlay = overlay;
    }

    /** Where the bytes go. */
    private interface Target {
        /** Writes bytes. */
        void write(long offset, ByteBuffer bytes) throws DiskException;

        /** Makes a range read as zero. */
        void zero(long offset, long length) throws DiskException;
    }

    void into(VirtualDisk backing) throws DiskException {
        if (backing.size() < overlay.size()) {
            // QC-MNT-23
            backing.resize(overlay.size(), Preallocation.OFF);
        }
        copy(new Target() {
            @Override
            public void write(long offset, ByteBuffer bytes) throws DiskException {
                backing.write(offset, bytes);
            }

            @Override
            public void zero(long offset, long length) throws DiskException {
                backing.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
            }
        });
        backing.flush();
    }

    void into(HostFile raw) throws DiskException {
        if (raw.size() < overlay.size()) {
            raw.truncate(overlay.size());
        }
        copy(new Target() {
            @Override
            public void write(long offset, ByteBuffer bytes) throws DiskException {
                raw.write(offset, bytes);
            }

            @Override
            public void zero(long offset, long length) throws DiskException {
                if (!raw.zero(offset, length)) {
                    ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(STEP, length));
                    for (long done = 0; done < length; done += zeros.capacity()) {
                        raw.write(offset + done, zeros.clear().limit((int) Math.min(STEP, length - done)));
                    }
                }
            }
        });
        raw.flush();
    }

    private void copy(Target target) throws DiskException {
        long look = Math.max(LEAST_LOOK, overlay.size() / MOST_LOOKS);
        for (long at = 0; at < overlay.size(); at += look) {
            for (BlockStatus extent : overlay.status(at, Math.min(look, overlay.size() - at))) {
                if (extent.allocated() && extent.content() == BlockStatus.Content.ZERO) {
                    target.zero(extent.guestOffset(), extent.length());
                } else if (extent.allocated()) {
                    copy(extent, target);
                }
            }
        }
    }

    private void copy(BlockStatus extent, Target target) throws DiskException {
        for (long at = extent.guestOffset(); at < extent.end(); at += STEP) {
            buffer.clear().limit((int) Math.min(STEP, extent.end() - at));
            overlay.read(at, buffer);
            target.write(at, buffer.flip());
        }
    }
}
