package dev.qcow2.conformance.hostile;

import java.util.LinkedHashSet;
import java.util.Set;

/** Numbers at which readers break. */
final class Extremes {

    private Extremes() {}

    /** Values for a field of the given width: the ends of its range, and the neighbours of what stands there now. */
    static Set<Long> of(int widthInBytes, long now, int clusterSize, long fileSize) {
        long mask = widthInBytes == 8 ? -1L : (1L << (8 * widthInBytes)) - 1;
        long sign = 1L << (8 * widthInBytes - 1);
        long[] candidates = {
            0,
            1,
            2,
            3,
            4,
            7,
            9,
            21,
            22,
            31,
            63,
            64,
            104,
            105,
            111,
            1023,
            1024,
            sign - 1,
            sign,
            sign + 1,
            mask,
            mask - 1,
            mask >>> 8,
            now + 1,
            now - 1,
            now + 8,
            now * 2,
            ~now,
            clusterSize - 1,
            clusterSize,
            now + clusterSize,
            now - clusterSize,
            fileSize - 1,
            fileSize,
            fileSize - clusterSize,
            (fileSize | clusterSize - 1) + 1,
            mask & -clusterSize,
            sign & -clusterSize,
            sign - clusterSize,
            1L << 55 & mask,
            1L << 56 & mask,
            0x5555_5555_5555_5555L
        };
        Set<Long> values = new LinkedHashSet<>();
        for (long candidate : candidates) {
            values.add(candidate & mask);
        }
        values.remove(now & mask);
        return values;
    }
}
