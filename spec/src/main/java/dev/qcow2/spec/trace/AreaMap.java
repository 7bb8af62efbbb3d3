package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.ImageFacts.EntryWords;
import dev.qcow2.spec.trace.ImageReading.Root;
import dev.qcow2.spec.trace.TraceEvent.Area;
import java.util.HashMap;
import java.util.Map;

/**
 * What each host cluster is part of, if it is part of a table.
 *
 * @param clusterBits size of a cluster as a power of two
 * @param areas by host cluster; what is not there is data or free
 */
record AreaMap(int clusterBits, Map<Long, Area> areas) {

    static final AreaMap EMPTY = new AreaMap(9, Map.of());

    static AreaMap of(ImageReading reading) {
        Map<Long, Area> areas = new HashMap<>();
        int bits = reading.facts.clusterBits();
        reading.structures.forEach(cluster -> areas.put(cluster, Area.SNAPSHOTS));
        reading.snapshots.values().forEach(root -> addTables(root, bits, Area.SNAPSHOTS, areas));
        addTables(reading.active, bits, Area.L2, areas);
        for (int i = 0; i < reading.refcountTable.length / 8; i++) {
            long entry = (long) ImageReading.LONGS.get(reading.refcountTable, i * 8);
            // A table of large clusters has hundreds of thousands of entries, nearly all of them empty.
            if (entry != 0) {
                areas.put((entry & -512L) >>> bits, Area.REFCOUNTS);
            }
        }
        addRange(
                reading.facts.tables().refcountTableOffset(),
                reading.refcountTable.length,
                bits,
                Area.REFCOUNT_TABLE,
                areas);
        addRange(reading.facts.tables().l1Offset(), reading.active.l1().length, bits, Area.L1, areas);
        areas.put(0L, Area.HEADER);
        return new AreaMap(bits, areas);
    }

    private static void addTables(Root root, int bits, Area area, Map<Long, Area> areas) {
        for (int index : root.tables().keySet()) {
            areas.put((root.word(index) & EntryWords.OFFSET) >>> bits, area);
        }
    }

    private static void addRange(long offset, long length, int bits, Area area, Map<Long, Area> areas) {
        for (long at = offset >>> bits; length > 0 && at <= (offset + length - 1) >>> bits; at++) {
            areas.put(at, area);
        }
    }

    Area at(long offset) {
        return areas.getOrDefault(offset >>> clusterBits, Area.DATA);
    }

    boolean isOnlyData(long offset, long length) {
        long last = (offset + length - 1) >>> clusterBits;
        if (last - (offset >>> clusterBits) > areas.size()) {
            return areas.keySet().stream().noneMatch(cluster -> cluster >= offset >>> clusterBits && cluster <= last);
        }
        for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
            if (areas.containsKey(cluster)) {
                return false;
            }
        }
        return true;
    }
}
