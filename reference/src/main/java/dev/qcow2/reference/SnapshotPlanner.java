package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.clause.SnapshotClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Plans the parts of which snapshot operations consist: one L2 table at a time, or one switch of a header field. */
final class SnapshotPlanner {

    private final Image image;
    private final Allocator allocator;
    private final PlanParts parts;
    private final Reach reach;

    SnapshotPlanner(Image image, Allocator allocator) {
        this.image = image;
        this.allocator = allocator;
        this.parts = new PlanParts(image);
        this.reach = new Reach(image);
    }

    /** Plans more references to clusters, before the L1 table that holds them is on the disk (QC-REF-13). */
    Plan raise(Map<HostCluster, Long> references) throws DiskException {
        Plan.Builder plan = new Plan.Builder("raise counts")
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_01, "one more L1 table reaches the clusters");
        for (Map.Entry<HostCluster, Long> reference : references.entrySet()) {
            long count = image.countOfUsed(reference.getKey());
            Step raise = parts.setCount(reference.getKey(), count, count + reference.getValue());
            plan.add(Section.ALLOCATE, RefcountClause.QC_REF_13, raise);
        }
        // No flush: the one before the header changes makes all of this safe.
        return plan.build();
    }

    /** Plans fewer references to clusters, after the L1 table that held them is gone from the disk (QC-REF-14). */
    Plan lower(Map<HostCluster, Long> references) throws DiskException {
        new Occupants(image).requireFreeable(references);
        Plan.Builder plan = new Plan.Builder("lower counts")
                .note(Section.DECIDE, RefcountClause.QC_REF_14, "one L1 table less reaches the clusters");
        for (Map.Entry<HostCluster, Long> reference : references.entrySet()) {
            parts.lower(plan, reference.getKey(), reference.getValue(), RefcountClause.QC_REF_14);
        }
        return plan.build();
    }

    /** Plans to take the COPIED flags from an L2 table that is shared now (QC-SNAP-02). */
    Plan clearFlags(L1Entry entry) throws DiskException {
        Plan.Builder plan = new Plan.Builder("clear COPIED flags")
                .note(Section.LOCATE, MappingClause.QC_L1_01, entry.toString())
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_02, "what it names is shared");
        writeFlags(plan, entry.l2Offset(), cluster -> false);
        return plan.build();
    }

    /** Plans to make the COPIED flags of an active L1 entry and its L2 table say what the counts say (QC-SNAP-03). */
    Optional<Plan> rebuildFlags(int l1Index) throws DiskException {
        L1Entry entry = image.l1Entry(l1Index);
        if (!entry.allocated()) {
            return Optional.empty();
        }
        boolean alone = isAlone(entry.l2Offset());
        Plan.Builder plan = new Plan.Builder("rebuild COPIED flags")
                .note(Section.LOCATE, MappingClause.QC_L1_04, "L1 entry " + l1Index + ": " + entry)
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_03, "COPIED is set where the count is 1");
        // Lowered counts are safe before a flag says so: a flag that is missing costs a copy, a wrong one costs data.
        plan.flush(Section.LINK, SnapshotClause.QC_SNAP_03);
        boolean changed = writeFlags(plan, entry.l2Offset(), cluster -> isAlone(cluster.hostOffset()));
        if (entry.copied() != alone) {
            plan.add(Section.LINK, MappingClause.QC_L1_03, l1Write(l1Index, new L1Entry(entry.l2Offset(), alone)));
            changed = true;
        }
        return changed ? Optional.of(plan.build()) : Optional.empty();
    }

    /** Plans to take the COPIED flag from an L1 entry (QC-SNAP-02). */
    Plan clearL1Flag(int l1Index, L1Entry entry) {
        return new Plan.Builder("clear the COPIED flag of an L1 entry")
                .note(Section.LOCATE, MappingClause.QC_L1_04, "L1 entry " + l1Index + ": " + entry)
                .add(Section.LINK, SnapshotClause.QC_SNAP_02, l1Write(l1Index, new L1Entry(entry.l2Offset(), false)))
                .build();
    }

    private Step l1Write(int l1Index, L1Entry entry) {
        long at = image.header().l1Offset() + (long) l1Index * Geometry.ENTRY_BYTES;
        return new Step.Write("L1 entry, " + entry, at, PlanParts.entryBytes(entry.encode()));
    }

    /** Says whether an entry is to carry COPIED. */
    @FunctionalInterface
    private interface Flag {
        boolean of(L2Entry entry) throws DiskException;
    }

    private boolean writeFlags(Plan.Builder plan, long l2Offset, Flag flag) throws DiskException {
        ByteBuffer table = ByteBuffer.allocate(image.geometry().clusterSize());
        boolean changed = false;
        for (L2Entry old : reach.l2Table(l2Offset)) {
            L2Entry entry = old.withCopied(old.hasHostCluster() && flag.of(old));
            changed |= entry.copied() != old.copied();
            table.put(entry.encode(image.geometry()));
        }
        if (changed) {
            new Occupants(image).requireL2Only(l2Offset);
            Step write = new Step.Write("COPIED flags of an L2 table", l2Offset, table.flip());
            plan.add(Section.LINK, SnapshotClause.QC_SNAP_02, write);
        }
        return changed;
    }

    private boolean isAlone(long hostOffset) throws DiskException {
        return image.countOfUsed(image.geometry().hostCluster(hostOffset)) == 1;
    }

    /** Clusters for a copy of an L1 table and a snapshot table behind it. */
    long clustersFor(int l1Size, SnapshotTable table) {
        return l1Clusters(l1Size) + image.geometry().clustersFor(table.lengthInBytes());
    }

    private long l1Clusters(int l1Size) {
        return image.geometry().clustersFor((long) l1Size * Geometry.ENTRY_BYTES);
    }

    /** Says where the next plan's L1 table will be; 0 if it has no entries. */
    long placeOfL1(int l1Size, SnapshotTable table) throws DiskException {
        return l1Size == 0 ? 0 : image.geometry().hostOffset(allocator.findCountable(clustersFor(l1Size, table)));
    }

    /** Plans to enter a snapshot: its L1 table and a longer snapshot table, then the header (QC-SNAP-10). */
    Plan enter(List<L1Entry> l1, SnapshotTable table, SnapshotTable old) throws DiskException {
        HostCluster fresh = allocator.findCountable(clustersFor(l1.size(), table));
        Plan.Builder plan = new Plan.Builder("enter a snapshot")
                .note(Section.LOCATE, SnapshotClause.QC_SNAP_04, old.entries().size() + " snapshots")
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_10, "its L1 table and a new snapshot table at " + fresh);
        raiseRun(plan, fresh, clustersFor(l1.size(), table));
        writeL1Copy(plan, fresh, l1, l1.size());
        writeTable(plan, fresh.plus(l1Clusters(l1.size())), table);
        releaseTable(plan, old);
        return plan.build();
    }

    /** Plans to put another snapshot table in the place of the old one (QC-SNAP-10). */
    Plan replace(SnapshotTable table, SnapshotTable old) throws DiskException {
        HostCluster fresh = allocator.findCountable(clustersFor(0, table));
        Plan.Builder plan = new Plan.Builder("replace the snapshot table")
                .note(Section.LOCATE, SnapshotClause.QC_SNAP_04, old.entries().size() + " snapshots")
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_10, "a new snapshot table at " + fresh);
        raiseRun(plan, fresh, clustersFor(0, table));
        writeTable(plan, fresh, table);
        releaseTable(plan, old);
        return plan.build();
    }

    /** Plans to remove a snapshot from the table, and to give up its L1 table; not yet what that reached. */
    Plan remove(SnapshotEntry entry, SnapshotTable table, SnapshotTable old) throws DiskException {
        Plan.Builder plan = new Plan.Builder("remove a snapshot")
                .note(Section.LOCATE, SnapshotClause.QC_SNAP_04, old.entries().size() + " snapshots")
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_10, "a shorter snapshot table takes the old one's place");
        long clusters = clustersFor(0, table);
        HostCluster fresh = clusters == 0 ? new HostCluster(0) : allocator.findCountable(clusters);
        raiseRun(plan, fresh, clusters);
        writeTable(plan, fresh, table);
        releaseTable(plan, old);
        HostCluster l1 = image.geometry().hostCluster(entry.l1Offset());
        parts.release(plan, l1, l1Clusters(entry.l1Size()), SnapshotClause.QC_SNAP_10);
        return plan.build();
    }

    /**
     * Plans to make a copy of a snapshot's L1 table the active one, together with the disk's size; what the old one reached
     * is given up later.
     */
    Plan switchTo(List<L1Entry> l1, int entries, long diskSize) throws DiskException {
        Header header = image.header();
        HostCluster fresh = entries == 0 ? new HostCluster(0) : allocator.findCountable(l1Clusters(entries));
        long offset = image.geometry().hostOffset(fresh);
        Plan.Builder plan = new Plan.Builder("switch the active L1 table")
                .note(Section.LOCATE, MappingClause.QC_L1_04, header.l1Size() + " entries at " + header.l1Offset())
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_03, "a copy of the snapshot's at " + fresh);
        raiseRun(plan, fresh, l1Clusters(entries));
        writeL1Copy(plan, fresh, l1, entries);
        plan.flush(Section.COPY, MappingClause.QC_L2_13);
        ByteBuffer fields = ByteBuffer.allocate(24).putLong(diskSize).putInt(header.cryptMethod());
        fields.putInt(entries).putLong(offset).flip();
        plan.add(
                Section.LINK,
                SnapshotClause.QC_SNAP_03,
                new Step.WriteHeader("size, crypt_method, l1_size, l1_table_offset", Header.SIZE_FIELD, fields));
        HostCluster old = image.geometry().hostCluster(header.l1Offset());
        parts.release(plan, old, l1Clusters(header.l1Size()), SnapshotClause.QC_SNAP_03);
        return plan.build();
    }

    private void raiseRun(Plan.Builder plan, HostCluster first, long clusters) throws DiskException {
        for (long i = 0; i < clusters; i++) {
            parts.raise(plan, first.plus(i));
        }
    }

    /** Writes L1 entries without COPIED: what they name is shared now. The rest of the last cluster is zeroed. */
    private void writeL1Copy(Plan.Builder plan, HostCluster place, List<L1Entry> l1, int entries) {
        Geometry geometry = image.geometry();
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(l1Clusters(entries) << geometry.clusterBits()));
        l1.forEach(entry -> bytes.putLong(new L1Entry(entry.l2Offset(), false).encode()));
        if (entries > 0) {
            Step write = new Step.Write("a copy of the L1 table", geometry.hostOffset(place), bytes.clear());
            plan.add(Section.COPY, SnapshotClause.QC_SNAP_01, write);
        }
    }

    private void writeTable(Plan.Builder plan, HostCluster place, SnapshotTable table) {
        long offset = table.entries().isEmpty() ? 0 : image.geometry().hostOffset(place);
        if (!table.entries().isEmpty()) {
            Step write = new Step.Write("the snapshot table", offset, table.encode());
            plan.add(Section.COPY, SnapshotClause.QC_SNAP_10, write);
        }
        plan.flush(Section.COPY, SnapshotClause.QC_SNAP_10);
        ByteBuffer fields =
                ByteBuffer.allocate(12).putInt(table.entries().size()).putLong(offset);
        plan.add(
                Section.LINK,
                SnapshotClause.QC_SNAP_10,
                new Step.WriteHeader("nb_snapshots, snapshots_offset", Header.SNAPSHOT_FIELDS, fields.flip()));
    }

    private void releaseTable(Plan.Builder plan, SnapshotTable old) throws DiskException {
        Geometry geometry = image.geometry();
        HostCluster place = geometry.hostCluster(image.header().snapshotsOffset());
        parts.release(plan, place, geometry.clustersFor(old.lengthInBytes()), SnapshotClause.QC_SNAP_10);
    }
}
