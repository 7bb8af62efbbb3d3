package dev.qcow2.conformance.image;

import dev.qcow2.conformance.language.MaintenanceStep.Damage;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** Breaks a closed image in a way that can be mended without a loss for the guest. */
public final class ImageDamage {

    private static final long COPIED = 1L << 63;
    private static final int INCOMPATIBLE_FEATURES = 72;
    private static final long DIRTY = 1;

    private final HostFile file;
    private final ImageInspector inspector;
    private final long clusterSize;

    private ImageDamage(HostFile file) throws DiskException {
        this.file = file;
        this.inspector = new ImageInspector(file);
        this.clusterSize = 1L << inspector.clusterBits();
    }

    /**
     * Breaks an image.
     *
     * @param damage what to break
     * @param file the image, which nobody has open; written to
     * @return false if this image has no place for such a damage, and is as it was
     * @throws DiskException if the host fails
     */
    public static boolean apply(Damage damage, HostFile file) throws DiskException {
        ImageDamage tool = new ImageDamage(file);
        return switch (damage) {
            case NONE -> false;
            case LEAK -> tool.leak();
            case COPIED -> tool.turnCopied();
            case COUNT -> tool.loseCount();
            case DIRTY -> tool.inspector.version() == 3 && tool.leak() && tool.markDirty();
        };
    }

    private boolean leak() throws DiskException {
        long next = (file.size() + clusterSize - 1) / clusterSize * clusterSize;
        if (!inspector.setCount(file, next, 1)) {
            return false;
        }
        file.truncate(next + clusterSize);
        return true;
    }

    private boolean markDirty() throws DiskException {
        writeLong(INCOMPATIBLE_FEATURES, inspector.readLong(INCOMPATIBLE_FEATURES) | DIRTY);
        return true;
    }

    private boolean turnCopied() throws DiskException {
        long place = firstL1Entry();
        if (place < 0) {
            return false;
        }
        writeLong(place, inspector.readLong(place) ^ COPIED);
        return true;
    }

    private boolean loseCount() throws DiskException {
        long place = firstL1Entry();
        return place >= 0 && inspector.setCount(file, inspector.tableAt(place), 0);
    }

    /** Returns the place of the first entry of the active L1 table that is not empty, or -1. */
    private long firstL1Entry() throws DiskException {
        for (int i = 0; i < inspector.l1Size(); i++) {
            long place = inspector.l1Offset() + i * 8L;
            if (inspector.tableAt(place) != 0) {
                return place;
            }
        }
        return -1;
    }

    private void writeLong(long hostOffset, long value) throws DiskException {
        file.write(hostOffset, ByteBuffer.allocate(8).putLong(0, value));
    }
}
