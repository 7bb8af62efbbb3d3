package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.ForwardingDisk;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Errs in what a request does to bitmaps, or tells the files below which request it is. */
final class StructureFaultDisk extends ForwardingDisk {

    private final StructureFault fault;
    private final WrappingHostDirectory<ErringFile> files;
    private final Map<String, List<Bitmaps.Dirty>> cut = new LinkedHashMap<>();
    private boolean grown;

    StructureFaultDisk(VirtualDisk right, StructureFault fault, WrappingHostDirectory<ErringFile> files) {
        super(right);
        this.fault = fault;
        this.files = files;
    }

    private void erring(boolean on) {
        files.files().forEach(file -> file.erring(on));
    }

    @Override
    public void write(long guestOffset, ByteBuffer from) throws DiskException {
        int length = from.remaining();
        target().write(guestOffset, from);
        if (fault == StructureFault.BITMAP_FOLLOWS_DISABLED) {
            Bitmaps bitmaps = target().bitmaps();
            for (Bitmaps.BitmapInfo info : bitmaps.list()) {
                if (!info.enabled() && !info.inUse()) {
                    bitmaps.mark(info.name(), guestOffset, length);
                }
            }
        }
    }

    @Override
    public void flush() throws DiskException {
        target().flush();
        for (ErringFile file : files.files()) {
            file.settle();
        }
    }

    @Override
    public void resize(long newSize, Preallocation preallocation) throws DiskException {
        long old = size();
        Bitmaps bitmaps = target().bitmaps();
        if (fault == StructureFault.BITMAP_SHRINK_KEEPS_BITS && newSize < old) {
            for (Bitmaps.BitmapInfo info : bitmaps.list()) {
                cut.put(info.name(), bitmaps.dirty(info.name()));
            }
        }
        erring(true);
        target().resize(newSize, preallocation);
        erring(false);
        grown |= newSize > old;
        for (Map.Entry<String, List<Bitmaps.Dirty>> bitmap : cut.entrySet()) {
            for (Bitmaps.Dirty range : bitmap.getValue()) {
                bitmaps.mark(bitmap.getKey(), range.guestOffset(), range.length());
            }
        }
    }

    @Override
    public void applySnapshot(String id) throws DiskException {
        List<String> enabled = new ArrayList<>();
        if (fault == StructureFault.BITMAP_FORGETS_RESTORE) {
            for (Bitmaps.BitmapInfo info : target().bitmaps().list()) {
                if (info.enabled()) {
                    enabled.add(info.name());
                    target().bitmaps().setEnabled(info.name(), false);
                }
            }
        }
        target().applySnapshot(id);
        for (String name : enabled) {
            target().bitmaps().setEnabled(name, true);
        }
    }

    @Override
    public Bitmaps bitmaps() throws DiskException {
        return new ErringBitmaps(target().bitmaps());
    }

    @Override
    public void close() throws DiskException {
        if (fault == StructureFault.BITMAP_IN_USE_CLEARED_EARLY) {
            for (ErringFile file : files.files()) {
                file.clearMarks();
            }
        }
        target().close();
        if (fault == StructureFault.L1_TABLE_NOT_COUNTED && grown) {
            StructureFaultDriver.uncount(files, StructureScene.IMAGE, HeaderLayout.L1_TABLE_OFFSET.offset());
        }
    }

    /** Merges and removes in a wrong way. */
    private final class ErringBitmaps implements Bitmaps {

        private final Bitmaps right;

        private ErringBitmaps(Bitmaps right) {
            this.right = right;
        }

        @Override
        public List<BitmapInfo> list() throws DiskException {
            return right.list();
        }

        @Override
        public void add(String name, int granularityBits, boolean enabled) throws DiskException {
            right.add(name, granularityBits, enabled);
        }

        @Override
        public void remove(String name) throws DiskException {
            erring(true);
            right.remove(name);
            erring(false);
        }

        @Override
        public void clear(String name) throws DiskException {
            right.clear(name);
        }

        @Override
        public void setEnabled(String name, boolean enabled) throws DiskException {
            right.setEnabled(name, enabled);
        }

        @Override
        public void merge(String into, String from) throws DiskException {
            if (fault == StructureFault.BITMAP_MERGE_REPLACES) {
                right.clear(into);
            }
            right.merge(into, from);
        }

        @Override
        public void mark(String name, long guestOffset, long length) throws DiskException {
            right.mark(name, guestOffset, length);
        }

        @Override
        public List<Dirty> dirty(String name) throws DiskException {
            return right.dirty(name);
        }
    }
}
