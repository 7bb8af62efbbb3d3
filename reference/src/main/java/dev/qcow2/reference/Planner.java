package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.BackingClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.GuestClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/**
 * Plans what happens to one guest cluster. Reads metadata, changes nothing. The L2 table of the cluster is there and
 * belongs to the active disk alone: {@link TablePlanner} saw to it in a plan of its own.
 */
final class Planner {

    /** How a write is done. */
    enum WriteWay {
        /** The cluster is the disk's alone: its bytes are overwritten. */
        IN_PLACE,
        /** It reads as zero, in part at least, but keeps a host cluster of its own, which is filled as a whole. */
        FILL_KEPT,
        /** A fresh cluster is filled as a whole, and takes the old one's place. */
        COPY_ON_WRITE
    }

    private final Image image;
    private final Allocator allocator;
    private final PlanParts parts;

    Planner(Image image, Allocator allocator) {
        this.image = image;
        this.allocator = allocator;
        this.parts = new PlanParts(image);
    }

    /** Decides on a write. QC-REF-02: what is shared is copied. */
    WriteWay decideWrite(Mapping mapping) throws DiskException {
        // With a data file each cluster has its own place there, used or not.
        if (!image.hasDataFile() && !ownsHost(mapping)) {
            return WriteWay.COPY_ON_WRITE;
        }
        return mapping.kind() == L2Entry.Kind.NORMAL ? WriteWay.IN_PLACE : WriteWay.FILL_KEPT;
    }

    /**
     * Whether a guest cluster has a host cluster in the image that nothing else refers to. The COPIED flag only repeats the count, so the
     * count is asked.
     */
    boolean ownsHost(Mapping mapping) throws DiskException {
        if (!mapping.l2().hasHostCluster() || image.hasDataFile()) {
            return false;
        }
        HostCluster host = image.geometry().hostCluster(mapping.l2().hostOffset());
        boolean owned = image.countOfUsed(host) == 1;
        if (owned) {
            new Occupants(image).requireNone(host, 1);
        }
        return owned;
    }

    /** Plans to write bytes into a guest cluster. */
    Plan write(GuestCluster guest, int offsetInCluster, ByteBuffer payload) throws DiskException {
        Mapping mapping = image.locate(guest);
        WriteWay way = decideWrite(mapping);
        Plan.Builder plan = new Plan.Builder("write " + payload.remaining() + " bytes into " + guest)
                .note(Section.LOCATE, MappingClause.QC_L1_04, mapping.toString());
        switch (way) {
            case IN_PLACE -> writeInPlace(plan, mapping, offsetInCluster, payload);
            case FILL_KEPT -> fillKept(plan, mapping, offsetInCluster, payload);
            case COPY_ON_WRITE -> copyOnWrite(plan, mapping, offsetInCluster, payload);
        }
        return plan.build();
    }

    private void writeInPlace(Plan.Builder plan, Mapping mapping, int offsetInCluster, ByteBuffer payload) {
        plan.note(Section.DECIDE, RefcountClause.QC_REF_01, "the cluster is the disk's alone: overwrite it");
        plan.add(
                Section.COPY,
                GuestClause.QC_GUEST_01,
                new Step.WriteGuest(mapping.guest(), mapping.l2().hostOffset(), offsetInCluster, payload));
        if (!mapping.l2().copied() && !image.hasDataFile()) {
            // Another guest cluster shared the host cluster and has left it: nobody had this entry at hand then.
            parts.linkL2(plan, mapping, mapping.l2().withCopied(true));
        }
    }

    private void fillKept(Plan.Builder plan, Mapping mapping, int offsetInCluster, ByteBuffer payload) {
        plan.note(Section.DECIDE, MappingClause.QC_L2_09, "fill the host cluster that is kept");
        long hostOffset = image.hasDataFile()
                ? image.geometry().guestOffset(mapping.guest())
                : mapping.l2().hostOffset();
        // The whole cluster as it reads, so that no stale byte can show (QC-GUEST-11).
        plan.add(Section.COPY, MappingClause.QC_L2_11, new Step.ReadOld(mapping.guest()));
        plan.add(Section.COPY, GuestClause.QC_GUEST_01, new Step.LayOver(offsetInCluster, payload));
        plan.add(
                Section.COPY,
                GuestClause.QC_GUEST_11,
                new Step.WriteBuffer(mapping.guest(), image.geometry().hostCluster(hostOffset)));
        L2Entry entry = SubclusterPlanner.filled(image, mapping, hostOffset, offsetInCluster, payload);
        parts.linkL2(plan, mapping, entry);
    }

    private void copyOnWrite(Plan.Builder plan, Mapping mapping, int offsetInCluster, ByteBuffer payload)
            throws DiskException {
        HostCluster fresh = allocator.findCountable(1);
        plan.note(Section.DECIDE, MappingClause.QC_L2_11, "copy on write into " + fresh);
        parts.raise(plan, fresh);
        // BACK-07 and REF-02: the old place, here or in a backing file, is only read.
        plan.add(Section.COPY, BackingClause.QC_BACK_07, new Step.ReadOld(mapping.guest()));
        plan.add(Section.COPY, MappingClause.QC_L2_11, new Step.LayOver(offsetInCluster, payload));
        plan.add(Section.COPY, GuestClause.QC_GUEST_11, new Step.WriteBuffer(mapping.guest(), fresh));
        long hostOffset = image.geometry().hostOffset(fresh);
        L2Entry entry = SubclusterPlanner.filled(image, mapping, hostOffset, offsetInCluster, payload);
        parts.linkL2(plan, mapping, entry);
        parts.releaseOld(plan, mapping, RefcountClause.QC_REF_02);
    }

    /** Plans to give a guest cluster a new entry that needs no data. */
    Plan settle(String operation, Clause clause, GuestCluster guest, Fate fate) throws DiskException {
        Mapping mapping = image.locate(guest);
        Plan.Builder plan = new Plan.Builder(operation + " " + guest)
                .note(Section.LOCATE, MappingClause.QC_L1_04, mapping.toString())
                .note(Section.DECIDE, clause, fate.toString());
        DataFile.planZeros(image, plan, guest, 0, image.geometry().lengthOf(guest));
        switch (fate) {
            case ZERO_PLAIN -> parts.linkL2(plan, mapping, L2Entry.ZERO_PLAIN);
            case UNALLOCATED -> parts.linkL2(plan, mapping, L2Entry.UNALLOCATED);
            case ZERO_ALLOCATED ->
                parts.linkL2(
                        plan,
                        mapping,
                        L2Entry.owned(L2Entry.Kind.ZERO_ALLOCATED, mapping.l2().hostOffset()));
            case NOTHING, ZEROS_AS_DATA -> throw new IllegalArgumentException(fate + " has no entry");
        }
        if (fate != Fate.ZERO_ALLOCATED) {
            parts.releaseOld(plan, mapping, RefcountClause.QC_REF_14);
        }
        return plan.build();
    }
}
