package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.util.Optional;

/**
 * Mends an image: walks all that the header leads to, counts it, mends what can't be right, and makes the counts and
 * flags say what was counted. Then it looks once more at everything, and trusts only what it sees.
 *
 * <p>References that can't be right go first, then counts follow them, then flags follow the counts, with a flush
 * between. Each step is right by itself, so after a power cut another repair finishes what this one began.
 */
final class Repair {

    private final Image image;
    private final Workbench bench;
    private final PlanObserver observer;

    /**
     * Prepares a repair.
     *
     * @param image an image whose header was read; the place of its refcount table need not be right
     * @param observer watches the plans
     */
    Repair(Image image, PlanObserver observer) throws DiskException {
        StructureWalk.requireUsable(image);
        this.image = image;
        this.observer = observer;
        Resolver resolver = new Resolver(image, Optional.empty());
        this.bench = new Workbench(image, resolver, new Allocator(image), observer);
    }

    /** Repairs, and says what was found. */
    RepairReport run(RepairMode mode) throws DiskException {
        RepairPass first = pass(Optional.of(mode));
        RepairPass second = pass(Optional.empty());
        RepairReport report = completed(
                mode,
                new RepairReport(first.corruptionsFixed(), first.leaksFixed(), second.corruptions(), second.leaks()));
        long marks = image.header().incompatible() & (FeatureBits.DIRTY | FeatureBits.CORRUPT);
        if (report.clean() && marks != 0) {
            clearMarks();
        }
        return report;
    }

    /** Entries of snapshots get what version 3 demands (QC-SNAP-07), by new clusters, so when all counts are right. */
    private RepairReport completed(RepairMode mode, RepairReport report) throws DiskException {
        SnapshotTable table = SnapshotTable.read(image);
        long incomplete = table.incomplete(image.header());
        if (incomplete == 0) {
            return report;
        }
        boolean mends = mode == RepairMode.ALL && report.clean();
        if (mends) {
            SnapshotTable complete = table.asWritten(image.header());
            ImageWriter writer = new ImageWriter(image, bench.resolver(), observer);
            writer.makeCountable(image.geometry().clustersFor(complete.lengthInBytes()));
            writer.apply(writer.snapshots().replace(complete, table));
        }
        return new RepairReport(
                report.corruptionsFixed() + (mends ? incomplete : 0),
                report.leaksFixed(),
                report.corruptions() + (mends ? 0 : incomplete),
                report.leaks());
    }

    /** QC-HDR-16, QC-HDR-17: the marks go when all that was mended is safe. */
    private void clearMarks() throws DiskException {
        long rest = image.header().incompatible() & ~(FeatureBits.DIRTY | FeatureBits.CORRUPT);
        Step clear =
                new Step.WriteHeader("incompatible_features", Header.INCOMPATIBLE_FIELD, PlanParts.entryBytes(rest));
        Plan.Builder plan = new Plan.Builder("clear the dirty and the corrupt bit")
                .note(Section.DECIDE, HeaderClause.QC_HDR_16, "the image is right");
        plan.flush(Section.LINK, HeaderClause.QC_HDR_16).add(Section.LINK, HeaderClause.QC_HDR_17, clear);
        bench.apply(plan.flush(Section.LINK, HeaderClause.QC_HDR_17).build());
    }

    /** Gives an image that is right counts of another width (QC-MNT-19). */
    void changeWidth(int order) throws DiskException {
        requireWidth(order).changeWidth(order);
    }

    /** Refuses counts of another width, before anything changes, if one does not fit or the image is broken. */
    CountCheck requireWidth(int order) throws DiskException {
        RepairPass pass = new RepairPass(bench, Optional.empty());
        CountCheck counts = walk(pass);
        if (pass.corruptions() > 0) {
            throw image.corrupt(RefcountClause.QC_REF_03, 0, pass.corruptions() + " corruptions", "none");
        }
        Geometry geometry = image.geometry();
        long highest = new Geometry(geometry.clusterBits(), order, 0, geometry.extendedL2()).highestCount();
        for (long key : pass.usage().chunkKeys()) {
            for (int i = 0; i < Usage.CHUNK; i++) {
                long count = pass.usage().count(new HostCluster(key * Usage.CHUNK + i));
                if (count > highest) {
                    String reason = "a count of " + count + " does not fit";
                    throw new RequestRefusedException(image.file().name(), MaintenanceClause.QC_MNT_19, reason);
                }
            }
        }
        return counts;
    }

    private RepairPass pass(Optional<RepairMode> mode) throws DiskException {
        RepairPass pass = new RepairPass(bench, mode);
        CountCheck unused = walk(pass);
        return pass;
    }

    private CountCheck walk(RepairPass pass) throws DiskException {
        StructureWalk structures = new StructureWalk(pass);
        structures.walk();
        StoredCounts stored = new StoredCounts(pass, structures.refcountTableIsThere());
        EntryWalk entries = new EntryWalk(pass);
        entries.walk(structures.tables());
        while (structures.resolveSuspects(stored)) {
            entries.walk(structures.tables());
        }
        entries.resolveSuspects(stored);
        pass.flush(RefcountClause.QC_REF_14);
        CountCheck counts = new CountCheck(pass, stored);
        counts.claimBlocks(structures.refcountTableIsThere());
        counts.compare();
        pass.flush(RefcountClause.QC_REF_13);
        boolean tableIsThere = structures.refcountTableIsThere() || counts.rebuilt();
        entries.checkFlags(structures.tables(), new StoredCounts(pass, tableIsThere));
        pass.flush(RefcountClause.QC_REF_03);
        return counts;
    }
}
