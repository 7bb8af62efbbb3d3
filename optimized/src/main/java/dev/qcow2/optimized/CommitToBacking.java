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

    private final VirtualDisk overlay;

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
        ByteBuffer bytes = ByteBuffer.allocateDirect(STEP);
        for (long at = 0; at < overlay.size(); at += STEP) {
            for (BlockStatus extent : overlay.status(at, Math.min(STEP, overlay.size() - at))) {
                if (!extent.allocated()) {
                    continue;
                }
                if (extent.content() == BlockStatus.Content.ZERO) {
                    target.zero(extent.guestOffset(), extent.length());
                } else {
                    bytes.clear().limit((int) extent.length());
                    overlay.read(extent.guestOffset(), bytes);
                    target.write(extent.guestOffset(), bytes.flip());
                }
            }
        }
    }
}
