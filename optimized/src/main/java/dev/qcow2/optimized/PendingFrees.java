package dev.qcow2.optimized;

import java.util.Arrays;

/**
 * References that were dropped in memory, as runs of host clusters. Their counts are lowered once the metadata that
 * dropped them is safe on disk (QC-REF-14). Guarded by the image's metadata lock.
 */
final class PendingFrees {

    private static final int MANY = 1 << 14;

    private long[] firsts = new long[16];
    private long[] lengths = new long[16];
    private int runs;

    void add(long cluster) {
        if (runs > 0 && firsts[runs - 1] + lengths[runs - 1] == cluster) {
            lengths[runs - 1]++;
            return;
        }
        addRun(cluster, 1);
    }

    void addRun(long first, long length) {
        if (runs == firsts.length) {
            firsts = Arrays.copyOf(firsts, runs * 2);
            lengths = Arrays.copyOf(lengths, runs * 2);
        }
        firsts[runs] = first;
        lengths[runs] = length;
        runs++;
    }

    int runs() {
        return runs;
    }

    long first(int run) {
        return firsts[run];
    }

    long length(int run) {
        return lengths[run];
    }

    boolean contains(long cluster) {
        for (int run = 0; run < runs; run++) {
            if (cluster >= firsts[run] && cluster - firsts[run] < lengths[run]) {
                return true;
            }
        }
        return false;
    }

    boolean wantsCheckpoint() {
        return runs >= MANY;
    }

    void addAll(PendingFrees other) {
        for (int run = 0; run < other.runs; run++) {
            addRun(other.firsts[run], other.lengths[run]);
        }
    }

    void removeLast() {
        runs--;
    }

    void clear() {
        runs = 0;
    }
}
