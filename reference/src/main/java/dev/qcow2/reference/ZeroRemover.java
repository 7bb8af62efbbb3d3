package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Takes the zero clusters out of an image that is to become version 2, which has none (QC-L2-08): out of the disk, its area
 * of machine state, and all snapshots.
 *
 * <p>Each L2 table is changed once and where it stands, however many L1 tables name it: all of them read the same before and
 * after every entry, so nothing is copied and nothing that was shared becomes two. What an entry names is counted once for
 * each L1 entry that leads there (QC-SNAP-01), and so is what takes its place.
 */
final class ZeroRemover {

    /**
     * An L2 table.
     *
     * @param name the first L1 entry that names it
     * @param l1Index where that stands, and so which guest clusters the table maps
     * @param references how many L1 entries name it, active ones and those of snapshots
     * @param settled whether all of them stand at the same index
     */
    private record Table(L1Entry name, int l1Index, long references, boolean settled) {

        Table with(int otherIndex) {
            return new Table(name, l1Index, references + 1, settled && otherIndex == l1Index);
        }
    }

    private final Image image;
    private final ImageWriter writer;
    private final Reach reach;
    private final PlanParts parts;

    ZeroRemover(Image image, ImageWriter writer) {
        this.image = image;
        this.writer = writer;
        this.reach = new Reach(image);
        this.parts = new PlanParts(image);
    }

    /** Refuses, before anything changes, what could not be done to the end. */
    void requirePossible() throws DiskException {
        Geometry geometry = image.geometry();
        Occupants occupants = new Occupants(image);
        Map<HostCluster, Long> dropped = new LinkedHashMap<>();
        List<Table> tables = tables();
        for (Table table : tables) {
            requireOnePlace(table);
            List<Mapping> zeros = zeros(table);
            if (!zeros.isEmpty()) {
                occupants.requireL2Only(table.name().l2Offset());
                // A fresh cluster gets this count too, so it fits whatever the width (QC-REF-11).
                image.countOfUsed(geometry.hostCluster(table.name().l2Offset()), table.references());
            }
            for (Mapping zero : zeros) {
                zero.l2().hostClusters(geometry).forEach(h -> dropped.merge(h, table.references(), Long::sum));
            }
        }
        reach.requireDroppable(dropped);
        occupants.requireFreeable(dropped);
        for (Table table : tables) {
            long offset = table.name().l2Offset();
            if (dropped.containsKey(geometry.hostCluster(offset))) {
                throw image.corrupt(RefcountClause.QC_REF_16, offset, "an L2 table as a guest cluster", "one use");
            }
        }
    }

    /** What is written for one part of the disk need not be right for another: encryption may depend on it. */
    private void requireOnePlace(Table table) throws DiskException {
        if (!table.settled()) {
            throw new RequestRefusedException(
                    image.file().name(),
                    MaintenanceClause.QC_MNT_17,
                    table.name() + " maps more than one part of the disk");
        }
    }

    /** Does it: without a backing file nothing need stand in a zero cluster's place, before one zeros as data (QC-L2-10). */
    void run() throws DiskException {
        boolean backed = image.header().backingNameOffset() != 0;
        for (Table table : tables()) {
            for (Mapping zero : zeros(table)) {
                if (backed) {
                    writer.makeCountable(1);
                    writer.apply(fill(table, zero));
                } else {
                    writer.apply(clear(table, zero));
                }
            }
        }
        // What a zero cluster of a snapshot kept may be the disk's alone now (QC-L2-03).
        for (int i = 0; i < image.header().l1Size(); i++) {
            Optional<Plan> rebuild = writer.snapshots().rebuildFlags(i);
            if (rebuild.isPresent()) {
                writer.apply(rebuild.get());
            }
        }
    }

    /** All L2 tables, each once. */
    private List<Table> tables() throws DiskException {
        Map<Long, Table> tables = new LinkedHashMap<>();
        note(tables, reach.activeL1());
        for (SnapshotEntry snapshot : SnapshotTable.read(image).entries()) {
            snapshot.requireL1Table(image);
            note(tables, reach.l1Table(snapshot.l1Offset(), snapshot.l1Size()));
        }
        return List.copyOf(tables.values());
    }

    private static void note(Map<Long, Table> tables, List<L1Entry> l1) {
        for (int i = 0; i < l1.size(); i++) {
            L1Entry entry = l1.get(i);
            if (entry.allocated()) {
                Table known = tables.get(entry.l2Offset());
                tables.put(entry.l2Offset(), known == null ? new Table(entry, i, 1, true) : known.with(i));
            }
        }
    }

    /** The zero clusters of a table. */
    private List<Mapping> zeros(Table table) throws DiskException {
        List<Mapping> zeros = new ArrayList<>();
        List<L2Entry> entries = reach.l2Table(table.name().l2Offset());
        for (int i = 0; i < entries.size(); i++) {
            if (isZero(entries.get(i))) {
                GuestCluster guest = new GuestCluster((long) table.l1Index() * entries.size() + i);
                long at = table.name().l2Offset() + (long) i * Geometry.ENTRY_BYTES;
                zeros.add(new Mapping(guest, table.name(), at, entries.get(i)));
            }
        }
        return zeros;
    }

    private static boolean isZero(L2Entry entry) {
        return switch (entry.kind()) {
            case ZERO_PLAIN, ZERO_ALLOCATED -> true;
            case UNALLOCATED, NORMAL, COMPRESSED, MIXED -> false;
        };
    }

    private Plan clear(Table table, Mapping zero) throws DiskException {
        Plan.Builder plan = begin(table, zero, "nothing shows through: make it unallocated");
        parts.linkL2(plan, zero, L2Entry.UNALLOCATED);
        return release(plan, table, zero);
    }

    private Plan fill(Table table, Mapping zero) throws DiskException {
        HostCluster fresh = writer.allocator().findCountable(1);
        Plan.Builder plan = begin(table, zero, "a backing file would show: write zeros into " + fresh);
        plan.add(Section.ALLOCATE, RefcountClause.QC_REF_13, parts.setCount(fresh, 0, table.references()));
        // The buffer of a plan is all zeros. What the entry kept may be another one's data, so it is not filled.
        plan.add(Section.COPY, MaintenanceClause.QC_MNT_31, new Step.WriteBuffer(zero.guest(), fresh));
        long offset = image.geometry().hostOffset(fresh);
        // QC-L2-03
        L2Entry entry = L2Entry.owned(L2Entry.Kind.NORMAL, offset).withCopied(table.references() == 1);
        parts.linkL2(plan, zero, entry);
        return release(plan, table, zero);
    }

    private static Plan.Builder begin(Table table, Mapping zero, String way) {
        return new Plan.Builder("replace a zero cluster, " + zero.guest())
                .note(Section.LOCATE, MappingClause.QC_L1_04, table.references() + " L1 entries lead to it: " + zero)
                .note(Section.DECIDE, MaintenanceClause.QC_MNT_31, way);
    }

    private Plan release(Plan.Builder plan, Table table, Mapping zero) throws DiskException {
        List<HostCluster> old = zero.l2().hostClusters(image.geometry());
        if (!old.isEmpty()) {
            plan.flush(Section.RELEASE, RefcountClause.QC_REF_15);
            parts.lower(plan, old.get(0), table.references(), RefcountClause.QC_REF_14);
        }
        return plan.build();
    }
}
