package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** What persistent bitmaps have to say: for each bitmap one bit for each grain of the disk (QC-BM-10, QC-BM-19). */
final class DirtyModel {

    /** A bitmap; its bits stand for {@code 1 << granularityBits} bytes each. */
    private static final class Tracked {
        private final int granularityBits;
        private final BitSet dirty = new BitSet();
        private boolean enabled;

        Tracked(int granularityBits, boolean enabled) {
            this.granularityBits = granularityBits;
            this.enabled = enabled;
        }

        /** Rounded outwards. */
        void mark(long offset, long length) {
            if (length > 0) {
                dirty.set(grain(offset), grain(offset + length - 1) + 1);
            }
        }

        int grain(long offset) {
            return Math.toIntExact(offset >>> granularityBits);
        }
    }

    private final SortedMap<String, Tracked> bitmaps = new TreeMap<>();
    private long size;

    DirtyModel(long size) {
        this.size = size;
    }

    boolean has(String name) {
        return bitmaps.containsKey(name);
    }

    List<String> names() {
        return List.copyOf(bitmaps.keySet());
    }

    boolean enabled(String name) {
        return tracked(name).enabled;
    }

    int granularityBits(String name) {
        return tracked(name).granularityBits;
    }

    /** The guest has changed a range. */
    void changed(long offset, long length) {
        bitmaps.values().stream().filter(bitmap -> bitmap.enabled).forEach(bitmap -> bitmap.mark(offset, length));
    }

    /** QC-BM-23: a snapshot was loaded, and the disk has that size now. */
    void loaded(long newSize) {
        resize(newSize);
        changed(0, size);
    }

    /** QC-BM-22: what lies beyond the new end is forgotten, and a new part is clean. */
    void resize(long newSize) {
        size = newSize;
        for (Tracked bitmap : bitmaps.values()) {
            int end = size == 0 ? 0 : bitmap.grain(size - 1) + 1;
            bitmap.dirty.clear(end, Math.max(end, bitmap.dirty.length()));
        }
    }

    /** Does what a step says, which fits the bitmaps that there are. */
    void apply(BitmapStep step) {
        switch (step.action()) {
            case ADD -> {
                BitmapStep.Add add = (BitmapStep.Add) step;
                bitmaps.put(add.name(), new Tracked(add.granularityBits(), add.enabled()));
            }
            case REMOVE -> bitmaps.remove(step.name());
            case CLEAR -> tracked(step.name()).dirty.clear();
            case ENABLE -> tracked(step.name()).enabled = true;
            case DISABLE -> tracked(step.name()).enabled = false;
            case MERGE ->
                dirty(((BitmapStep.Merge) step).from())
                        .forEach(range -> tracked(step.name()).mark(range.guestOffset(), range.length()));
            case ASK -> tracked(step.name());
        }
    }

    private Tracked tracked(String name) {
        Tracked bitmap = bitmaps.get(name);
        if (bitmap == null) {
            throw new IllegalArgumentException("no bitmap " + name);
        }
        return bitmap;
    }

    /** Returns what is dirty: ranges that do not touch, the last one clipped to the disk. */
    List<Dirty> dirty(String name) {
        Tracked bitmap = tracked(name);
        List<Dirty> ranges = new ArrayList<>();
        for (int from = bitmap.dirty.nextSetBit(0); from >= 0; ) {
            int to = bitmap.dirty.nextClearBit(from);
            long start = (long) from << bitmap.granularityBits;
            long end = Math.min(size, (long) to << bitmap.granularityBits);
            ranges.add(new Dirty(start, end - start));
            from = bitmap.dirty.nextSetBit(to);
        }
        return List.copyOf(ranges);
    }
}
