package dev.qcow2.optimized;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Goes over all that refers to host clusters, but for the refcount structures, counts the references, and mends entries
 * on the way. First all L1 tables, then each L2 table once, with the number of L1 entries that lead to it: so the time is
 * that of reading each table once, however often an image names it.
 */
final class ReferenceWalk {

    private static final int CHUNK_BYTES = 1 << 16;

    private final RepairScope scope;
    private final ClusterUse use;
    private final EntryMender mender;
    private final int clusterBits;
    private final Set<Long> copiedTables = new LinkedHashSet<>();
    private boolean lostTables;
    private boolean lostSnapshots;

    ReferenceWalk(RepairScope scope) {
        this.scope = scope;
        this.use = scope.use();
        this.mender = new EntryMender(scope);
        this.clusterBits = scope.clusterBits();
    }

    /** Whether a table could not be found, so that what it names looks like a leak. */
    boolean lostTables() {
        return lostTables;
    }

    /** Whether a table could not be found that no repair gives up. */
    boolean lostSnapshots() {
        return lostSnapshots;
    }

    void run() throws DiskException {
        ImageHeader header = scope.header();
        // QC-REF-16
        use.add(0, 1, Kind.HEADER);
        own(header.l1Offset(), 8L * header.l1Size(), Kind.ROOT);
        List<SnapshotTable.Entry> snapshots = SnapshotTable.read(scope.host(), header);
        own(header.snapshotsOffset(), SnapshotTable.bytes(snapshots), Kind.SNAPSHOTS);
        List<RootTable> snapshotTables = snapshotTables(snapshots);
        for (RootTable table : snapshotTables) {
            own(table.hostOffset(), 8L * table.entries(), Kind.ROOT);
        }
        lostTables |= !new ExtensionReferences(scope).add();
        root(header.l1Offset(), header.l1Size(), Kind.ACTIVE_L2);
        for (RootTable table : snapshotTables) {
            root(table.hostOffset(), table.entries(), Kind.L2);
        }
        ByteBuffer table = ByteBuffer.allocate(1 << clusterBits);
        use.forEach(Kind.L2, Kind.ACTIVE_L2, cluster -> {
            if (!copiedTables.contains(cluster)) {
                table(cluster, table);
            }
        });
        for (long copy : copiedTables) {
            table(copy, table);
        }
    }

    /** The L1 tables of the snapshots, as far as they can be where their entries say. */
    private List<RootTable> snapshotTables(List<SnapshotTable.Entry> snapshots) throws DiskException {
        List<RootTable> tables = new ArrayList<>();
        for (SnapshotTable.Entry snapshot : snapshots) {
            try {
                tables.add(snapshot.l1(scope.host(), scope.header()));
            } catch (MalformedImageException e) {
                // Nobody can tell what the snapshot refers to: no count is lowered, whatever may be mended.
                scope.lastingCorruption();
                lostSnapshots = true;
            }
        }
        return tables;
    }

    /** Counts a range that nothing else may have. */
    private void own(long offset, long length, Kind kind) throws DiskException {
        if (length == 0) {
            return;
        }
        for (long cluster = offset >>> clusterBits; cluster <= (offset + length - 1) >>> clusterBits; cluster++) {
            if (!use.accepts(cluster, kind)) {
                // To move such a table is to guess which of the two it is.
                scope.lastingCorruption();
            }
            use.add(cluster, 1, kind);
        }
    }

    private void root(long offset, int entries, Kind kind) throws DiskException {
        scope.spendRoot(entries);
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, 8L * entries));
        for (long done = 0; done < 8L * entries; done += chunk.capacity()) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), 8L * entries - done));
            scope.host().readZeroPadded(offset + done, chunk);
            boolean changed = false;
            for (int at = 0; at < chunk.limit(); at += 8) {
                long entry = chunk.getLong(at);
                long mended = entry == 0 ? 0 : rootEntry(entry, kind);
                changed |= mended != entry;
                chunk.putLong(at, mended);
            }
            if (changed) {
                scope.flush();
                scope.write(offset + done, chunk.rewind());
            }
        }
    }

    /** Returns what an L1 entry should be, and counts its table. */
    private long rootEntry(long entry, Kind kind) throws DiskException {
        long mended = entry;
        // QC-L1-02
        if (EntryBits.l1ReservedSet(entry)) {
            scope.corruption();
            mended = scope.mendsAll() ? EntryBits.offset(entry) | (entry & EntryBits.COPIED) : entry;
        }
        long offset = EntryBits.offset(entry);
        long cluster = offset >>> clusterBits;
        boolean aligned = (offset & (scope.clusterSize() - 1)) == 0;
        // QC-L1-01, QC-L2-14
        if (offset == 0 || !aligned || !scope.inFile(offset, scope.clusterSize()) || !use.accepts(cluster, kind)) {
            scope.corruption();
            lostTables |= offset != 0;
            return scope.mendsAll() ? 0 : mended;
        }
        if (use.count(cluster) == mender.highestCount()) {
            scope.corruption();
            if (scope.mendsAll()) {
                return ownTable(mended, cluster, kind);
            }
        }
        use.add(cluster, 1, kind);
        return mended;
    }

    /** QC-REF-11: no count could say how often the table is named, so this entry gets a copy. */
    private long ownTable(long entry, long cluster, Kind kind) throws DiskException {
        long copy = mender.copy(cluster, 1);
        if (copy == 0) {
            return 0;
        }
        use.add(copy, 1, kind);
        copiedTables.add(copy);
        return (entry & EntryBits.COPIED) | copy << clusterBits;
    }

    private void table(long cluster, ByteBuffer table) throws DiskException {
        scope.host().readZeroPadded(cluster << clusterBits, table.clear());
        long times = use.count(cluster);
        boolean changed = false;
        int step = scope.extended() ? 16 : 8;
        for (int at = 0; at < table.capacity(); at += step) {
            long entry = table.getLong(at);
            long mended = entry == 0 ? 0 : mender.mend(entry, times);
            changed |= mended != entry;
            table.putLong(at, mended);
            if (scope.extended()) {
                long bitmap = table.getLong(at + 8);
                long mendedBitmap = mender.mendBitmap(bitmap, entry, mended);
                changed |= mendedBitmap != bitmap;
                table.putLong(at + 8, mendedBitmap);
            }
        }
        if (changed) {
            // Copies are on the disk before entries name them.
            scope.flush();
            scope.write(cluster << clusterBits, table.clear());
        }
    }
}
