package dev.qcow2.spec.audit;

import java.util.Arrays;

/**
 * The L2 tables that were met, each once, with the number of L1 entries that lead to it. So a table that a thousand
 * snapshots share is read once, and an L1 table of a million equal entries costs no more than one.
 */
final class TableReferences {

    private static final int BYTES_PER_TABLE = 48;

    private long[] offsets = new long[16];
    private long[] firstEntries = new long[16];
    private int[] activeCounts = new int[16];
    private int[] totalCounts = new int[16];
    private int[] slots = new int[32];
    private int size;
    private long allowance;

    TableReferences(long allowance) {
        this.allowance = allowance;
    }

    int size() {
        return size;
    }

    long offset(int index) {
        return offsets[index];
    }

    /** Returns the index of the first L1 entry that leads to the table. */
    long firstEntry(int index) {
        return firstEntries[index];
    }

    /** Returns how many entries of the active L1 table lead to the table. */
    int activeCount(int index) {
        return activeCounts[index];
    }

    /** Returns how many entries of all L1 tables lead to the table. */
    int totalCount(int index) {
        return totalCounts[index];
    }

    void add(long offset, long l1Entry, boolean active) throws LimitReachedException {
        int slot = slot(offset);
        if (slots[slot] == 0) {
            append(offset, l1Entry);
            slot = slot(offset);
            slots[slot] = size;
        }
        int index = slots[slot] - 1;
        totalCounts[index] = saturated(totalCounts[index]);
        if (active) {
            activeCounts[index] = saturated(activeCounts[index]);
        }
    }

    private void append(long offset, long l1Entry) throws LimitReachedException {
        allowance -= BYTES_PER_TABLE;
        if (allowance < 0) {
            throw new LimitReachedException("more L2 tables than the audit may remember");
        }
        if (size == offsets.length) {
            grow();
        }
        offsets[size] = offset;
        firstEntries[size] = l1Entry;
        size++;
    }

    private void grow() {
        int capacity = 2 * offsets.length;
        offsets = Arrays.copyOf(offsets, capacity);
        firstEntries = Arrays.copyOf(firstEntries, capacity);
        activeCounts = Arrays.copyOf(activeCounts, capacity);
        totalCounts = Arrays.copyOf(totalCounts, capacity);
        slots = new int[2 * capacity];
        for (int index = 0; index < size; index++) {
            slots[slot(offsets[index])] = index + 1;
        }
    }

    private int slot(long offset) {
        int mask = slots.length - 1;
        int at = Scatter.hash(offset) & mask;
        while (slots[at] != 0 && offsets[slots[at] - 1] != offset) {
            at = (at + 1) & mask;
        }
        return at;
    }

    private static int saturated(int count) {
        return count == Integer.MAX_VALUE ? count : count + 1;
    }
}
