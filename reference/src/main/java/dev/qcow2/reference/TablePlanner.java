package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/** Plans that make an L2 table ready to be changed: present, reachable, and the active disk's alone. */
final class TablePlanner {

    private final Image image;
    private final Allocator allocator;
    private final PlanParts parts;

    TablePlanner(Image image, Allocator allocator) {
        this.image = image;
        this.allocator = allocator;
        this.parts = new PlanParts(image);
    }

    /** Whether the L1 table is too short for a guest cluster (QC-L1-06). */
    boolean needsL1(GuestCluster guest) {
        return image.geometry().l1Index(guest) >= image.header().l1Size();
    }

    /** Whether an L2 table of its own is needed before an entry changes (QC-L1-05). */
    boolean needsL2(GuestCluster guest) throws DiskException {
        L1Entry entry = image.l1Entry(image.geometry().l1Index(guest));
        if (!entry.allocated() || image.countOfUsed(image.geometry().hostCluster(entry.l2Offset())) > 1) {
            return true;
        }
        new Occupants(image).requireSingle(entry.l2Offset());
        return false;
    }

    /** Clusters of an L1 table that is long enough for the whole disk and for a guest cluster. */
    long l1Clusters(GuestCluster guest) {
        return image.geometry().clustersFor(l1Entries(guest) * Geometry.ENTRY_BYTES);
    }

    private long l1Entries(GuestCluster guest) {
        return Math.max(image.geometry().l1EntriesNeeded(), image.geometry().l1Index(guest) + 1L);
    }

    /** Plans an L1 table of that length. */
    Plan growL1(GuestCluster guest) throws DiskException {
        Header header = image.header();
        Geometry geometry = image.geometry();
        int entries = Math.toIntExact(l1Entries(guest));
        HostCluster fresh = allocator.findCountable(l1Clusters(guest));
        Plan.Builder plan = new Plan.Builder("grow the L1 table")
                .note(Section.LOCATE, HeaderClause.QC_HDR_09, header.l1Size() + " entries at " + header.l1Offset())
                .note(Section.DECIDE, MappingClause.QC_L1_06, entries + " entries are needed: move to " + fresh);
        for (long i = 0; i < l1Clusters(guest); i++) {
            parts.raise(plan, fresh.plus(i));
        }
        int oldBytes = header.l1Size() * Geometry.ENTRY_BYTES;
        // The tail of the last cluster is zeroed too, so that nothing stale can be taken for an entry later.
        ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(l1Clusters(guest) << geometry.clusterBits()));
        table.put(image.read(header.l1Offset(), oldBytes)).clear();
        plan.add(
                Section.COPY,
                MappingClause.QC_L1_04,
                new Step.Write("the new L1 table", geometry.hostOffset(fresh), table));
        plan.flush(Section.COPY, MappingClause.QC_L2_13);
        ByteBuffer fields = ByteBuffer.allocate(12).putInt(entries).putLong(geometry.hostOffset(fresh));
        plan.add(
                Section.LINK,
                MappingClause.QC_L1_06,
                new Step.WriteHeader("l1_size, l1_table_offset", Header.L1_FIELDS, fields.flip()));
        if (oldBytes > 0) {
            HostCluster old = geometry.hostCluster(header.l1Offset());
            parts.release(plan, old, geometry.clustersFor(oldBytes), MappingClause.QC_L1_06);
        }
        return plan.build();
    }

    /** Plans an L2 table for a guest cluster: an empty one, or a copy of one that is shared. */
    Plan ownL2(GuestCluster guest) throws DiskException {
        Geometry geometry = image.geometry();
        int index = geometry.l1Index(guest);
        L1Entry old = image.l1Entry(index);
        HostCluster fresh = allocator.findCountable(1);
        Plan.Builder plan = new Plan.Builder("own the L2 table of " + guest)
                .note(Section.LOCATE, MappingClause.QC_L1_04, "L1 entry " + index + ": " + old)
                .note(
                        Section.DECIDE,
                        old.allocated() ? MappingClause.QC_L1_05 : MappingClause.QC_L1_01,
                        (old.allocated() ? "it is shared: copy it into " : "nothing there: an empty one in ") + fresh);
        parts.raise(plan, fresh);
        ByteBuffer table = old.allocated()
                ? image.read(old.l2Offset(), geometry.clusterSize())
                : ByteBuffer.allocate(geometry.clusterSize());
        long offset = geometry.hostOffset(fresh);
        plan.add(Section.COPY, MappingClause.QC_L2_01, new Step.Write("the L2 table", offset, table));
        plan.flush(Section.COPY, MappingClause.QC_L2_13);
        L1Entry entry = new L1Entry(offset, true);
        long at = image.header().l1Offset() + (long) index * Geometry.ENTRY_BYTES;
        plan.add(Section.LINK, MappingClause.QC_L1_03, new Step.LinkL1(index, old, entry, at));
        if (old.allocated()) {
            parts.release(plan, geometry.hostCluster(old.l2Offset()), 1, MappingClause.QC_L1_05);
        }
        return plan.build();
    }
}
