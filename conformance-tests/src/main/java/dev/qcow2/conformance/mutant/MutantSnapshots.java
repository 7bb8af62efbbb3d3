package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.clause.SnapshotClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSuchSnapshotException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Internal snapshots: the whole table is rewritten for each change. */
final class MutantSnapshots {

    private static final int FIXED = 40;

    private final MutantFile file;
    private final MutantTables tables;
    private final MutantRefcounts counts;
    private final Set<Fault> faults;
    private final int clusterSize;
    private final long diskSize;
    private final List<byte[]> entries = new ArrayList<>();
    private long offset;
    private int length;

    MutantSnapshots(
            MutantFile file, MutantHeader header, MutantTables tables, MutantRefcounts counts, Set<Fault> faults)
            throws DiskException {
        this.file = file;
        this.tables = tables;
        this.counts = counts;
        this.faults = faults;
        this.clusterSize = header.clusterSize();
        this.diskSize = header.size;
        this.offset = header.snapshotOffset;
        for (int i = 0; i < header.snapshotCount; i++) {
            ByteBuffer fixed = file.buffer(offset + length, FIXED);
            int all = FIXED + fixed.getInt(36) + (fixed.getShort(12) & 0xffff) + (fixed.getShort(14) & 0xffff);
            // QC-SNAP-04, QC-SNAP-06: kept as bytes, whatever they hold.
            entries.add(file.bytes(offset + length, (all + 7) / 8 * 8));
            length += (all + 7) / 8 * 8;
        }
    }

    List<SnapshotInfo> list() {
        return entries.stream().map(this::info).toList();
    }

    private SnapshotInfo info(byte[] entry) {
        ByteBuffer fields = ByteBuffer.wrap(entry);
        int extra = fields.getInt(36);
        int idLength = fields.getShort(12) & 0xffff;
        int nameLength = fields.getShort(14) & 0xffff;
        // QC-SNAP-09: the 64-bit size counts if it is there.
        long state = extra >= 8 ? fields.getLong(FIXED) : fields.getInt(32) & 0xffff_ffffL;
        long size = extra >= 16 ? fields.getLong(FIXED + 8) : diskSize;
        String id = new String(entry, FIXED + extra, idLength, StandardCharsets.UTF_8);
        String name = new String(entry, FIXED + extra + idLength, nameLength, StandardCharsets.UTF_8);
        return new SnapshotInfo(id, name, size, state);
    }

    private int place(String id) throws DiskException {
        for (int i = 0; i < entries.size(); i++) {
            if (info(entries.get(i)).id().equals(id)) {
                return i;
            }
        }
        throw new NoSuchSnapshotException(file.host().name(), id);
    }

    SnapshotInfo create(String name) throws DiskException {
        long largest = 0;
        for (SnapshotInfo info : list()) {
            if (info.id().matches("[0-9]{1,18}")) {
                largest = Math.max(largest, Long.parseLong(info.id()));
            }
        }
        long[] l1 = tables.l1();
        long[] counted = l1.clone();
        file.holdFlushes(faults.contains(Fault.SNAPSHOT_WITHOUT_FLUSH));
        if (!faults.contains(Fault.SNAPSHOT_HEADER_FIRST)) {
            count(counted);
        }
        for (int i = 0; i < l1.length; i++) {
            l1[i] &= ~MutantTables.COPIED;
        }
        long copy = 0;
        if (l1.length > 0) {
            copy = counts.allocate(tables.clusters(l1.length)) * clusterSize;
            file.put(copy, new byte[tables.clusters(l1.length) * clusterSize]);
            file.numbers(copy, l1);
        }
        List<byte[]> next = new ArrayList<>(entries);
        next.add(encode(copy, l1.length, Long.toString(largest + 1), name));
        store(next);
        if (faults.contains(Fault.SNAPSHOT_HEADER_FIRST)) {
            count(counted);
        }
        if (faults.contains(Fault.SNAPSHOT_FLAGS_LAST)) {
            tables.rebuildFlags();
        }
        file.holdFlushes(false);
        return info(entries.get(entries.size() - 1));
    }

    /** QC-SNAP-01, QC-SNAP-02: counts go up, and flags off. */
    private void count(long[] l1) throws DiskException {
        if (!faults.contains(Fault.SNAPSHOT_NOT_COUNTED)) {
            raise(tables.references(l1), l1);
        }
        if (!faults.contains(Fault.COPIED_KEPT_AFTER_SNAPSHOT) && !faults.contains(Fault.SNAPSHOT_FLAGS_LAST)) {
            tables.rebuildFlags();
        }
    }

    private byte[] encode(long l1Offset, int l1Size, String id, String name) {
        byte[] idBytes = id.getBytes(StandardCharsets.UTF_8);
        byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        int all = FIXED + 16 + idBytes.length + nameBytes.length;
        return ByteBuffer.allocate((all + 7) / 8 * 8)
                .putLong(l1Offset)
                .putInt(l1Size)
                .putShort((short) idBytes.length)
                .putShort((short) nameBytes.length)
                .putLong(0)
                .putLong(0)
                .putInt(0)
                .putInt(16)
                .putLong(0)
                .putLong(diskSize)
                .put(idBytes)
                .put(nameBytes)
                .array();
    }

    /** QC-REF-11: all counts are looked at before the first one changes. */
    private void raise(Map<Long, Integer> references, long[] l1) throws DiskException {
        for (Map.Entry<Long, Integer> reference : references.entrySet()) {
            long room = counts.largest() - counts.count(reference.getKey());
            if (Long.compareUnsigned(room, reference.getValue()) < 0 && !faults.contains(Fault.REFCOUNT_WRAPS)) {
                throw new RequestRefusedException(
                        file.host().name(), RefcountClause.QC_REF_11, "a reference count is full");
            }
        }
        for (Map.Entry<Long, Integer> reference : references.entrySet()) {
            boolean table = isTable(l1, reference.getKey());
            Fault skips = table ? Fault.SNAPSHOT_TABLES_NOT_COUNTED : Fault.SNAPSHOT_DATA_NOT_COUNTED;
            for (int i = 0; i < reference.getValue(); i++) {
                if (!faults.contains(skips)) {
                    counts.raise(reference.getKey());
                }
            }
        }
        file.flush();
    }

    private boolean isTable(long[] l1, long cluster) {
        for (long entry : l1) {
            if ((entry & MutantTables.OFFSET) == cluster * clusterSize) {
                return true;
            }
        }
        return false;
    }

    private void lower(Map<Long, Integer> references) throws DiskException {
        for (Map.Entry<Long, Integer> reference : references.entrySet()) {
            long times = faults.contains(Fault.SNAPSHOT_DELETE_FREES_SHARED)
                    ? counts.count(reference.getKey())
                    : reference.getValue();
            for (long i = 0; i < times; i++) {
                counts.lower(reference.getKey());
            }
        }
    }

    /** QC-SNAP-10: the new table is there and counted before the header names it. */
    private void store(List<byte[]> next) throws DiskException {
        int nextLength = next.stream().mapToInt(e -> e.length).sum();
        long nextOffset = 0;
        if (nextLength > 0) {
            ByteBuffer all = ByteBuffer.allocate(nextLength);
            next.forEach(all::put);
            nextOffset = counts.allocate((nextLength + clusterSize - 1) / clusterSize) * clusterSize;
            file.put(nextOffset, all.array());
        }
        file.flush();
        file.putPair(
                60,
                ByteBuffer.allocate(12).putInt(next.size()).putLong(nextOffset).flip());
        file.flush();
        for (int i = 0; i < (length + clusterSize - 1) / clusterSize; i++) {
            counts.lower(offset / clusterSize + i);
        }
        offset = nextOffset;
        length = nextLength;
        entries.clear();
        entries.addAll(next);
    }

    void apply(String id) throws DiskException {
        byte[] entry = entries.get(place(id));
        if (info(entry).diskSize() != diskSize) {
            throw new RequestRefusedException(
                    file.host().name(), SnapshotClause.QC_SNAP_03, "the snapshot has another disk size");
        }
        long[] old = tables.l1();
        long[] next = snapshotL1(entry);
        for (int i = 0; i < next.length; i++) {
            next[i] &= ~MutantTables.COPIED;
        }
        // What both tables refer to keeps its count: it may be full, and then has no room for a moment's more.
        Map<Long, Integer> gained = tables.references(next);
        Map<Long, Integer> dropped = without(tables.references(old), gained);
        file.holdFlushes(faults.contains(Fault.SNAPSHOT_APPLY_WITHOUT_FLUSH));
        if (!faults.contains(Fault.SNAPSHOT_APPLY_NOT_COUNTED)) {
            raise(without(gained, tables.references(old)), next);
        }
        if (faults.contains(Fault.SNAPSHOT_APPLY_LOWERS_FIRST)) {
            lower(dropped);
            dropped.clear();
        }
        tables.replaceL1(next);
        // The snapshot still refers to all of it, so no flag may be set whatever the tables hold.
        tables.rebuildFlags();
        if (!faults.contains(Fault.SNAPSHOT_APPLY_FORGETS_OLD)) {
            lower(dropped);
        }
        tables.rebuildFlags(faults.contains(Fault.SNAPSHOT_APPLY_SETS_COPIED));
        file.holdFlushes(false);
    }

    private static Map<Long, Integer> without(Map<Long, Integer> references, Map<Long, Integer> others) {
        Map<Long, Integer> left = new TreeMap<>(references);
        others.forEach(
                (cluster, times) -> left.computeIfPresent(cluster, (key, own) -> own > times ? own - times : null));
        return left;
    }

    void delete(String id) throws DiskException {
        int place = place(id);
        byte[] entry = entries.get(place);
        long[] l1 = snapshotL1(entry);
        Map<Long, Integer> dropped = tables.references(l1);
        if (faults.contains(Fault.SNAPSHOT_DELETE_KEEPS_TABLES)) {
            dropped.keySet().removeIf(cluster -> isTable(l1, cluster));
        }
        List<byte[]> next = new ArrayList<>(entries);
        next.remove(place);
        file.holdFlushes(faults.contains(Fault.SNAPSHOT_DELETE_WITHOUT_FLUSH));
        if (faults.contains(Fault.SNAPSHOT_DELETE_LOWERS_FIRST)) {
            lower(dropped);
            dropped.clear();
        }
        store(next);
        lower(dropped);
        file.holdFlushes(false);
        if (!faults.contains(Fault.SNAPSHOT_DELETE_LEAKS_L1)) {
            tables.release(ByteBuffer.wrap(entry).getLong(0), l1.length);
        }
        if (!faults.contains(Fault.SNAPSHOT_DELETE_LEAVES_COPIED_CLEAR)) {
            tables.rebuildFlags();
        }
    }

    private long[] snapshotL1(byte[] entry) throws DiskException {
        ByteBuffer fields = ByteBuffer.wrap(entry);
        return file.numbers(fields.getLong(0), fields.getInt(8));
    }
}
