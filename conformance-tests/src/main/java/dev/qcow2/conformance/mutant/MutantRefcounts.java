package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;

/** Counts host clusters and hands them out. The table is kept in memory, the blocks are not. */
final class MutantRefcounts {

    private final MutantFile file;
    private final Set<Fault> faults;
    private final int clusterSize;
    private final int order;
    private final Set<Long> freedSinceFlush = new LinkedHashSet<>();
    private long tableOffset;
    private long[] table;
    private long firstCandidate;

    MutantRefcounts(MutantFile file, MutantHeader header, Set<Fault> faults) throws DiskException {
        this.file = file;
        this.faults = faults;
        this.clusterSize = header.clusterSize();
        boolean widened = header.refcountOrder == 0 && faults.contains(Fault.REFCOUNT_WIDTH_1_AS_8);
        this.order = widened ? 3 : header.refcountOrder;
        this.tableOffset = header.refcountTableOffset;
        this.table = file.numbers(tableOffset, header.refcountTableClusters * (clusterSize / 8));
    }

    /** Counts in a block (QC-REF-07). */
    private long perBlock() {
        return ((long) clusterSize * 8) >> order;
    }

    long largest() {
        return order == 6 ? -1L : (1L << (1 << order)) - 1;
    }

    private long block(long cluster) {
        // QC-REF-04, QC-REF-06: 0 means that every count in the block's range is 0.
        return table[Math.toIntExact(cluster / perBlock())] & ~511L & Long.MAX_VALUE;
    }

    long count(long cluster) throws DiskException {
        if (cluster / perBlock() >= table.length || block(cluster) == 0) {
            return 0;
        }
        long bit = (cluster % perBlock()) << order;
        long place = block(cluster) + bit / 8;
        if (order < 3) {
            return file.bytes(place, 1)[0] >> shift(bit) & largest();
        }
        long value = 0;
        for (byte digit : file.bytes(place, 1 << (order - 3))) {
            value = value << 8 | (digit & 0xff);
        }
        return value;
    }

    private void set(long cluster, long value) throws DiskException {
        long bit = (cluster % perBlock()) << order;
        long place = block(cluster) + bit / 8;
        if (order < 3) {
            int old = file.bytes(place, 1)[0];
            int mask = (int) largest() << shift(bit);
            file.put(place, new byte[] {(byte) ((old & ~mask) | ((int) value << shift(bit) & mask))});
            return;
        }
        byte[] digits = new byte[1 << (order - 3)];
        for (int i = 0; i < digits.length; i++) {
            digits[i] = (byte) (value >>> (8 * (digits.length - 1 - i)));
        }
        file.put(place, digits);
    }

    /** QC-REF-08: the first count of a byte is in its least significant bits. */
    private int shift(long bit) {
        int fromRight = (int) (bit % 8);
        return faults.contains(Fault.SUB_BYTE_REFCOUNTS_REVERSED) ? 8 - (1 << order) - fromRight : fromRight;
    }

    void raise(long cluster) throws DiskException {
        set(cluster, count(cluster) + 1);
    }

    /** QC-REF-14: the caller has seen to it that the reference is gone from the disk. */
    void lower(long cluster) throws DiskException {
        long left = count(cluster) - 1;
        set(cluster, left);
        if (left == 0) {
            firstCandidate = Math.min(firstCandidate, cluster);
            freedSinceFlush.add(cluster);
            if (!faults.contains(Fault.PUNCH_AFTER_REUSE)) {
                file.host().punchHole(cluster * clusterSize, clusterSize);
            }
        }
    }

    void afterFlush() throws DiskException {
        for (long cluster : freedSinceFlush) {
            if (faults.contains(Fault.PUNCH_AFTER_REUSE)) {
                file.host().punchHole(cluster * clusterSize, clusterSize);
            }
            if (faults.contains(Fault.FREED_TWICE) && count(cluster) > 0) {
                set(cluster, count(cluster) - 1);
            }
        }
        freedSinceFlush.clear();
    }

    /** Finds free clusters side by side and leaves them free. */
    long find(int wanted) throws DiskException {
        long run = 0;
        for (long cluster = firstCandidate; ; cluster++) {
            if (cluster / perBlock() >= table.length) {
                growTable();
            }
            if (block(cluster) == 0) {
                addBlock(cluster);
            }
            run = count(cluster) == 0 ? run + 1 : 0;
            if (run == wanted) {
                return cluster - wanted + 1;
            }
        }
    }

    /** Hands out clusters side by side, counted (QC-REF-13). */
    long allocate(int wanted) throws DiskException {
        long first = find(wanted);
        for (int i = 0; i < wanted; i++) {
            set(first + i, 1);
        }
        if (wanted == 1) {
            firstCandidate = first + 1;
        }
        if (!faults.contains(Fault.NO_FLUSH_BEFORE_LINK)) {
            file.flush();
        }
        return first;
    }

    /** Hands out a cluster for guest data. */
    long allocateData(long guestCluster) throws DiskException {
        if (faults.contains(Fault.REFCOUNT_NOT_RAISED)) {
            return find(1);
        }
        if (faults.contains(Fault.REFCOUNTS_BY_GUEST_CLUSTER)) {
            long found = find(1);
            if (guestCluster / perBlock() < table.length && block(guestCluster) != 0) {
                raise(guestCluster);
            }
            return found;
        }
        return allocate(1);
    }

    /** The new block is the first cluster of the range that it counts, all of which is free. */
    private void addBlock(long cluster) throws DiskException {
        long index = cluster / perBlock();
        long place = index * perBlock();
        file.put(place * clusterSize, new byte[clusterSize]);
        long before = table[(int) index];
        table[(int) index] = place * clusterSize;
        if (!faults.contains(Fault.NEW_REFCOUNT_BLOCK_NOT_COUNTED)) {
            // QC-REF-10: a block is counted, here by itself.
            set(place, 1);
        }
        file.flush();
        long flag = faults.contains(Fault.REFCOUNT_TABLE_ENTRY_WITH_COPIED) ? Long.MIN_VALUE : 0;
        assert before == 0;
        file.putNumber(tableOffset + index * 8, place * clusterSize | flag);
    }

    /** QC-REF-12: new blocks and the new table count themselves and are complete before the header names them. */
    private void growTable() throws DiskException {
        long first = table.length * perBlock();
        int blocks = 0;
        int clusters = 0;
        for (long needed = 1; needed > blocks; needed = (blocks + clusters + perBlock() - 1) / perBlock()) {
            blocks = Math.toIntExact(needed);
            clusters = ((table.length + blocks) * 8 + clusterSize - 1) / clusterSize;
        }
        if ((long) clusters * clusterSize > 8 << 20) {
            throw new RequestRefusedException(
                    file.host().name(), LimitClause.QC_LIM_03, "the refcount table can't grow further");
        }
        long[] old = table;
        table = Arrays.copyOf(old, clusters * (clusterSize / 8));
        for (int i = 0; i < blocks; i++) {
            table[old.length + i] = (first + i) * clusterSize;
            file.put((first + i) * clusterSize, new byte[clusterSize]);
        }
        for (int i = 0; i < blocks + clusters; i++) {
            set(first + i, 1);
        }
        long oldOffset = tableOffset;
        tableOffset = (first + blocks) * clusterSize;
        long[] image = table.clone();
        if (faults.contains(Fault.GROWN_REFCOUNT_TABLE_LOSES_LAST)) {
            image[old.length - 1] = 0;
        }
        file.numbers(tableOffset, image);
        file.flush();
        file.putPair(
                48,
                ByteBuffer.allocate(12).putLong(tableOffset).putInt(clusters).flip());
        file.flush();
        for (int i = 0; i < old.length * 8 / clusterSize && !faults.contains(Fault.OLD_REFCOUNT_TABLE_LEAKED); i++) {
            lower(oldOffset / clusterSize + i);
        }
    }
}
