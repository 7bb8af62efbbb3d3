package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.util.ArrayList;
import java.util.List;

/**
 * A range that is to read as zero, as QEMU takes it: where the rest of a cluster reads as zero too, and the cluster holds no data, the whole
 * cluster becomes a zero cluster.
 *
 * @param start its first byte
 * @param end the first byte behind it
 * @param quick whether the tables alone can say it, so that no zeros need to be written as data
 */
record ZeroRange(long start, long end, boolean quick) {

    private static final int SUBCLUSTERS = 32;

    private static long unit(HeaderFacts facts) {
        return facts.clusterSize() / (facts.extendedL2() ? SUBCLUSTERS : 1);
    }

    /** Says whether a range is made of whole clusters, where the disk's end is the end of its last one. */
    static boolean isAligned(HeaderFacts facts, long start, long end, long size) {
        return start % unit(facts) == 0 && (end % unit(facts) == 0 || end == size);
    }

    /** Cuts a range where whole clusters begin and end; QEMU asks for the parts one after the other. */
    static List<Long> cuts(HeaderFacts facts, long start, long end) {
        if (facts.version() < 3) {
            return List.of(start, end);
        }
        long unit = unit(facts);
        List<Long> cuts = new ArrayList<>(List.of(start));
        for (long cut : new long[] {(start + unit - 1) / unit * unit, end / unit * unit, end}) {
            if (cut > cuts.get(cuts.size() - 1) && cut <= end) {
                cuts.add(cut);
            }
        }
        return cuts;
    }

    /** Looks at the clusters that are only in part in a range. */
    static ZeroRange of(HeaderFacts facts, VirtualDisk disk, long start, long end) throws DiskException {
        // Version 2 has no zero clusters: whole clusters can be given up, if nothing shows through.
        if (facts.version() < 3) {
            boolean quick = facts.backingName().isEmpty() && isAligned(facts, start, end, disk.size());
            return new ZeroRange(start, end, quick);
        }
        long unit = unit(facts);
        long first = start / unit * unit;
        long last = end / unit * unit;
        boolean headGrows = first == start || canGrow(disk, first, unit, start, end);
        boolean tailStays = last == end || end == disk.size();
        boolean tailGrows = tailStays || canGrow(disk, last, unit, start, end);
        return new ZeroRange(
                headGrows ? first : start,
                tailGrows && !tailStays ? Math.min(disk.size(), last + unit) : end,
                headGrows && tailGrows);
    }

    private static boolean canGrow(VirtualDisk disk, long cluster, long unit, long start, long end)
            throws DiskException {
        for (BlockStatus extent : disk.status(cluster, Math.min(unit, disk.size() - cluster))) {
            boolean covered = extent.guestOffset() >= start && extent.end() <= end;
            if (extent.content() == BlockStatus.Content.DATA && (extent.depth() == 0 || !covered)) {
                return false;
            }
        }
        return true;
    }
}
