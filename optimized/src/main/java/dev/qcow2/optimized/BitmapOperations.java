package dev.qcow2.optimized;

import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.DiskException;
import java.util.List;

/** The bitmaps of an open disk as its user sees them: each operation runs while no request is under way. */
final class BitmapOperations implements Bitmaps {

    private final TrackedBitmaps bitmaps;
    private final OptimizedDisk disk;

    BitmapOperations(TrackedBitmaps bitmaps, OptimizedDisk disk) {
        this.bitmaps = bitmaps;
        this.disk = disk;
    }

    /** A change of bitmaps. */
    private interface Change {
        /** Makes it. */
        void apply() throws DiskException;
    }

    private void change(Change change) throws DiskException {
        disk.requireChangeable();
        disk.alone(() -> {
            change.apply();
            return bitmaps;
        });
    }

    @Override
    public List<BitmapInfo> list() throws DiskException {
        return disk.alone(bitmaps::list);
    }

    @Override
    public void add(String name, int granularityBits, boolean enabled) throws DiskException {
        change(() -> bitmaps.add(name, granularityBits, enabled));
    }

    @Override
    public void remove(String name) throws DiskException {
        change(() -> bitmaps.remove(name));
    }

    @Override
    public void clear(String name) throws DiskException {
        change(() -> bitmaps.clear(name));
    }

    @Override
    public void setEnabled(String name, boolean enabled) throws DiskException {
        change(() -> bitmaps.setEnabled(name, enabled));
    }

    @Override
    public void merge(String into, String from) throws DiskException {
        change(() -> bitmaps.merge(into, from));
    }

    @Override
    public void mark(String name, long guestOffset, long length) throws DiskException {
        long end = Math.min(guestOffset + length, disk.size());
        change(() -> {
            if (guestOffset >= 0 && end > guestOffset) {
                bitmaps.mark(name, guestOffset, end - guestOffset);
            }
        });
    }

    @Override
    public List<Dirty> dirty(String name) throws DiskException {
        return disk.alone(() -> bitmaps.dirty(name));
    }
}
