package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The active L1 table, kept in memory, and the L2 tables behind it, read whenever they are needed. */
final class MutantTables {

    static final long COPIED = Long.MIN_VALUE;
    static final long COMPRESSED = 1L << 62;
    static final long ZERO = 1;
    static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

    private final MutantFile file;
    private final MutantRefcounts counts;
    private final Set<Fault> faults;
    private final int clusterSize;
    private long l1Offset;
    private long[] l1;

    MutantTables(MutantFile file, MutantHeader header, MutantRefcounts counts, Set<Fault> faults) throws DiskException {
        this.file = file;
        this.counts = counts;
        this.faults = faults;
        this.clusterSize = header.clusterSize();
        this.l1Offset = header.l1Offset;
        this.l1 = file.numbers(l1Offset, header.l1Size);
    }

    int perTable() {
        return clusterSize / 8;
    }

    int l1Index(long guestCluster) {
        return Math.toIntExact(guestCluster / perTable());
    }

    private int l2Index(long guestCluster) {
        int index = (int) (guestCluster % perTable());
        return faults.contains(Fault.L2_INDEX_OFF_BY_ONE) && index == perTable() - 1 ? index - 1 : index;
    }

    long[] l1() {
        return l1.clone();
    }

    /** QC-L1-01, QC-L1-06: where there is no table, nothing is allocated. */
    long entry(long guestCluster) throws DiskException {
        int index = l1Index(guestCluster);
        if (index >= l1.length || (l1[index] & OFFSET) == 0) {
            return 0;
        }
        return file.number((l1[index] & OFFSET) + l2Index(guestCluster) * 8L);
    }

    void setEntry(long guestCluster, long value) throws DiskException {
        long table = writableTable(l1Index(guestCluster));
        // QC-L2-13: what the entry names is on disk before the entry.
        if (!faults.contains(Fault.NO_FLUSH_BEFORE_LINK)) {
            file.flush();
        }
        file.putNumber(table + l2Index(guestCluster) * 8L, value);
        if (faults.contains(Fault.TABLE_PUBLISHED_BEFORE_COUNTED) && counts.count(table / clusterSize) == 0) {
            counts.raise(table / clusterSize);
        }
    }

    private long writableTable(int index) throws DiskException {
        if (index >= l1.length) {
            replaceL1(Arrays.copyOf(l1, index + 1));
        }
        long old = l1[index] & OFFSET;
        boolean inPlace = l1[index] < 0
                || faults.contains(Fault.SHARED_L2_TABLE_OVERWRITTEN)
                || (faults.contains(Fault.COPIED_NEVER_IN_L1) && counts.count(old / clusterSize) == 1);
        if (old != 0 && inPlace) {
            return old;
        }
        boolean uncounted = faults.contains(Fault.L2_TABLE_HANDED_OUT_AGAIN)
                || faults.contains(Fault.TABLE_PUBLISHED_BEFORE_COUNTED);
        long fresh = (uncounted ? counts.find(1) : counts.allocate(1)) * clusterSize;
        // QC-L1-05: a table that a snapshot shares is copied; a new one is all zeros.
        if (old != 0) {
            file.put(fresh, file.bytes(old, clusterSize));
        } else if (!faults.contains(Fault.NEW_L2_TABLE_NOT_CLEARED)) {
            file.put(fresh, new byte[clusterSize]);
        }
        file.flush();
        l1[index] = fresh | (faults.contains(Fault.COPIED_NEVER_IN_L1) ? 0 : COPIED);
        file.putNumber(l1Offset + index * 8L, l1[index]);
        if (old != 0) {
            file.flush();
            releaseCopied(old, fresh);
        }
        return fresh;
    }

    private void releaseCopied(long old, long fresh) throws DiskException {
        if (!faults.contains(Fault.OLD_TABLE_NOT_RELEASED)) {
            counts.lower(old / clusterSize);
        }
        while (faults.contains(Fault.OLD_TABLE_FREED) && counts.count(old / clusterSize) > 0) {
            counts.lower(old / clusterSize);
        }
        if (faults.contains(Fault.TABLE_COPY_RELEASES_DATA)) {
            for (long data : file.numbers(fresh, perTable())) {
                if ((data & OFFSET) != 0) {
                    counts.lower((data & OFFSET) / clusterSize);
                }
            }
        }
    }

    /** Makes sure that a table is there before the data is. */
    void prepare(long guestCluster) throws DiskException {
        writableTable(l1Index(guestCluster));
    }

    /** Puts another L1 table in place of the active one, counted and complete before the header names it. */
    void replaceL1(long[] next) throws DiskException {
        long place = 0;
        if (next.length > 0) {
            place = counts.allocate(clusters(next.length)) * clusterSize;
            long[] padded = Arrays.copyOf(next, clusters(next.length) * perTable());
            file.numbers(place, padded);
        }
        file.flush();
        file.putPair(
                36, ByteBuffer.allocate(12).putInt(next.length).putLong(place).flip());
        file.flush();
        release(l1Offset, l1.length);
        l1Offset = place;
        l1 = next.clone();
    }

    void release(long tableOffset, int entries) throws DiskException {
        for (int i = 0; i < clusters(entries); i++) {
            counts.lower(tableOffset / clusterSize + i);
        }
    }

    int clusters(int entries) {
        return (entries + perTable() - 1) / perTable();
    }

    /** Says how often an L1 table refers to each host cluster, tables and data alike (QC-REF-03). */
    Map<Long, Integer> references(long[] table) throws DiskException {
        Map<Long, Integer> found = new TreeMap<>();
        for (long entry : table) {
            long l2 = entry & OFFSET;
            if (l2 != 0) {
                found.merge(l2 / clusterSize, 1, Integer::sum);
                for (long data : file.numbers(l2, perTable())) {
                    if ((data & OFFSET) != 0) {
                        found.merge((data & OFFSET) / clusterSize, 1, Integer::sum);
                    }
                }
            }
        }
        return found;
    }

    /** QC-SNAP-02, QC-SNAP-03: makes every COPIED flag of the active tables say whether the count is 1. */
    void rebuildFlags() throws DiskException {
        rebuildFlags(false);
    }

    /** As above; who errs sets all of them. */
    void rebuildFlags(boolean all) throws DiskException {
        for (int i = 0; i < l1.length; i++) {
            long l2 = l1[i] & OFFSET;
            if (l2 != 0) {
                long[] entries = file.numbers(l2, perTable());
                for (int j = 0; j < entries.length; j++) {
                    entries[j] = flagged(entries[j], all);
                }
                file.numbers(l2, entries);
                l1[i] = faults.contains(Fault.COPIED_NEVER_IN_L1) ? l2 : flagged(l1[i], all);
                file.putNumber(l1Offset + i * 8L, l1[i]);
            }
        }
        file.flush();
    }

    private long flagged(long entry, boolean all) throws DiskException {
        long plain = entry & ~COPIED;
        boolean alone = (plain & OFFSET) != 0 && (all || counts.count((plain & OFFSET) / clusterSize) == 1);
        return alone ? plain | COPIED : plain;
    }
}
