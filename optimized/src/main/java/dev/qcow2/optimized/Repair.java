package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_13;

import dev.qcow2.optimized.RepairScope.Changes;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostFile;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Mends an image that nobody has open: entries first, then counts, then the flags that speak of counts, with a flush
 * between, and at last the marks in the header. Every step finds the state that the one before leaves, or that a power
 * cut in the middle of it leaves, so a repair that was cut off is finished by the next one.
 */
final class Repair {

    /** Dirty, corrupt, external data file, compression type, extended L2 entries. */
    private static final long UNDERSTOOD = 0x1f;

    private final HostFile host;

    Repair(HostFile host) {
        this.host = host;
    }

    RepairReport run(Changes changes) throws DiskException {
        ImageHeader header = HeaderReader.readForRepair(host);
        if ((header.incompatible() & ~UNDERSTOOD) != 0) {
            throw new UnsupportedFeatureException(
                    host.name(), QC_MNT_13, "the repair of an image with incompatible features");
        }
        HeaderMarks marks = new HeaderMarks(host, header);
        RepairScope found = pass(header, changes, marks);
        RepairScope left = found;
        if (found.changed()) {
            // Asked again, as whoever trusts the answer would.
            left = pass(HeaderReader.readForRepair(host), Changes.NOTHING, marks);
        }
        if (left.corruptions() == 0) {
            marks.clear();
        } else if ((header.incompatible() & ImageHeader.DIRTY) == 0) {
            marks.clearDirty();
        }
        return new RepairReport(found.corruptionsFixed(), found.leaksFixed(), left.corruptions(), left.leaks());
    }

    private RepairScope pass(ImageHeader header, Changes changes, HeaderMarks marks) throws DiskException {
        RepairScope scope = new RepairScope(host, header, changes, marks);
        ReferenceWalk walk = new ReferenceWalk(scope);
        walk.run();
        scope.flush();
        CountRepair counts = new CountRepair(scope);
        boolean sound = counts.structuresAreSound();
        // What only a lost table names looks like a leak, and is none.
        boolean blind = walk.lostSnapshots() || (walk.lostTables() && changes == Changes.LEAKS);
        counts.compare(sound, blind);
        if (!sound && scope.mendsAll() && !walk.lostSnapshots()) {
            rebuild(scope);
        }
        scope.flush();
        if (!walk.lostSnapshots()) {
            // Else the counts stay as they are, and the flags with them.
            new CopiedRepair(scope).run();
        }
        scope.flush();
        return scope;
    }

    private void rebuild(RepairScope scope) throws DiskException {
        int order = scope.header().refcountOrder();
        int blockBits = scope.clusterBits() + 3 - order;
        NavigableSet<Long> ranges = new TreeSet<>();
        scope.use().forEachRange(blockBits, cluster -> ranges.add(cluster >>> blockBits));
        long first = Math.max(scope.fileClusters(), scope.use().end());
        RefcountRebuild rebuild = new RefcountRebuild(host, scope.clusterBits(), order, first, ranges);
        scope.beforeChange();
        scope.flush();
        long highest = RefcountBits.maximum(order);
        rebuild.write(cluster -> {
            long count = scope.use().count(cluster);
            return Long.compareUnsigned(count, highest) > 0 ? highest : count;
        });
        rebuild.switchHeader();
    }
}
