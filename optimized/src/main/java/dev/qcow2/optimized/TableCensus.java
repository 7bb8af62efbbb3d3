package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_07;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_17;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The L2 tables of the disk and of all snapshots, each once: how many L1 entries name it, and what it maps. Its memory is
 * bounded, whatever an image claims.
 */
final class TableCensus {

    private static final long MOST_ROOT_ENTRIES = 1L << 27;

    private final HostFile host;
    private final EntryChecks checks;
    private final int clusterBits;
    private final ClusterUse names;

    /** The L1 index of each table plus 1, kept as a count. */
    private final ClusterUse places;

    private ByteBuffer scratch;
    private long rootEntries;

    private TableCensus(HostFile host, EntryChecks checks, int clusterBits) {
        this.host = host;
        this.checks = checks;
        this.clusterBits = clusterBits;
        this.names = new ClusterUse(host.name());
        this.places = new ClusterUse(host.name());
        this.scratch = ByteBuffer.allocate(1 << clusterBits);
    }

    /** Takes the census of a file that has all that memory has. */
    static TableCensus of(HostFile host, HostSpace space, ImageHeader header) throws DiskException {
        TableCensus census = new TableCensus(host, new EntryChecks(host, space, header), header.clusterBits());
        List<SnapshotTable.Entry> snapshots = SnapshotTable.read(host, header);
        census.add(new RootTable(host, header.l1Offset(), header.l1Size()), Kind.ACTIVE_L2);
        for (SnapshotTable.Entry snapshot : snapshots) {
            census.add(snapshot.l1(host, header), Kind.L2);
        }
        return census;
    }

    private void add(RootTable l1, Kind kind) throws DiskException {
        rootEntries += l1.entries();
        require(rootEntries <= MOST_ROOT_ENTRIES, QC_LIM_07, "the snapshots' L1 tables are larger than can be read");
        for (int i = 0; i < l1.entries(); i++) {
            long entry = l1.get(i);
            long cluster = entry == 0 ? 0 : checks.l2Offset(entry, l1.entryOffset(i)) >>> clusterBits;
            if (cluster != 0) {
                if (names.count(cluster) == 0) {
                    places.add(cluster, i + 1L, Kind.L2);
                }
                // What is written for one place need not be right for another: encryption may depend on it.
                require(places.count(cluster) == i + 1L, QC_MNT_17, "an L2 table maps two parts of the disk");
                names.add(cluster, 1, kind);
            }
        }
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(host.name(), clause, reason);
        }
    }

    /** How many L1 entries name a table. */
    long names(long table) {
        return names.count(table);
    }

    /** Whether the disk is the only one that has a table. */
    boolean ownedByDisk(long table) {
        return names.kind(table) == Kind.ACTIVE_L2 && names.count(table) == 1;
    }

    /** The guest cluster of a table's first entry. */
    long firstGuestCluster(long table) {
        return (places.count(table) - 1) << (clusterBits - 3);
    }

    /** Visits each table that has zero clusters (QC-L2-07), in ascending order. */
    void forEachWithZeros(TableVisitor visitor) throws DiskException {
        names.forEach(Kind.L2, Kind.ACTIVE_L2, cluster -> {
            ByteBuffer table = scratch.clear();
            host.readZeroPadded(cluster << clusterBits, table);
            if (hasZeros(table)) {
                scratch = ByteBuffer.allocate(1 << clusterBits);
                visitor.visit(cluster, table.clear());
            }
        });
    }

    private static boolean hasZeros(ByteBuffer table) {
        for (int at = 0; at < table.capacity(); at += 8) {
            if (isZero(table.getLong(at))) {
                return true;
            }
        }
        return false;
    }

    /** Does something with a table. */
    interface TableVisitor {
        /** Visits it; the buffer has all its entries, and is the visitor's to keep. */
        void visit(long cluster, ByteBuffer table) throws DiskException;
    }

    /** Whether a standard entry is that of a zero cluster, with or without a host cluster. */
    static boolean isZero(long entry) {
        return (entry & (EntryBits.COMPRESSED | EntryBits.ZERO)) == EntryBits.ZERO;
    }

    /** Whether there is any zero cluster, which version 2 lacks (QC-L2-08). */
    boolean hasZeros() throws DiskException {
        boolean[] found = new boolean[1];
        forEachWithZeros((cluster, table) -> found[0] = true);
        return found[0];
    }
}
