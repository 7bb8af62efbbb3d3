package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.GuestClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.SubclusterClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/** What becomes of subclusters when their cluster is written, and plans to zero some of them. */
final class SubclusterPlanner {

    private final Image image;
    private final PlanParts parts;

    SubclusterPlanner(Image image) {
        this.image = image;
        this.parts = new PlanParts(image);
    }

    /**
     * Subclusters of one cluster.
     *
     * @param from the first one
     * @param to the one behind the last
     */
    record Range(int from, int to) {
        boolean isEmpty() {
            return from >= to;
        }
    }

    /**
     * Says which subclusters lie in a range as a whole and can be zeroed by their bits; none in compressed data. The disk's
     * last one counts as whole up to the disk's end.
     */
    Range wholeIn(GuestCluster guest, int offsetInCluster, int length) throws DiskException {
        Geometry geometry = image.geometry();
        if (!geometry.extendedL2() || image.locate(guest).kind() == L2Entry.Kind.COMPRESSED) {
            return new Range(0, 0);
        }
        int size = geometry.subclusterSize();
        int end = offsetInCluster + length;
        int roundedEnd = end == geometry.lengthOf(guest) ? end + size - 1 : end;
        return new Range((offsetInCluster + size - 1) / size, roundedEnd / size);
    }

    /** The entry of a cluster that was filled. Subclusters that no new byte was meant for stay what they were. */
    static L2Entry filled(Image image, Mapping mapping, long hostOffset, int offsetInCluster, ByteBuffer payload) {
        L2Entry normal = L2Entry.owned(L2Entry.Kind.NORMAL, hostOffset);
        if (!image.geometry().extendedL2() || mapping.kind() == L2Entry.Kind.COMPRESSED) {
            return normal;
        }
        int size = image.geometry().subclusterSize();
        int last = (offsetInCluster + payload.remaining() - 1) / size;
        return normal.with(mapping.l2().subclusters().withAllocated(offsetInCluster / size, last + 1));
    }

    /** Plans to make subclusters read as zero; host cluster and neighbours stay. */
    Plan zero(GuestCluster guest, Range range) throws DiskException {
        Mapping mapping = image.locate(guest);
        L2Entry entry = mapping.l2().with(mapping.l2().subclusters().withZero(range.from(), range.to()));
        String which = "subclusters " + range.from() + " to " + (range.to() - 1);
        Plan.Builder plan = new Plan.Builder("zero subclusters of " + guest)
                .note(Section.LOCATE, MappingClause.QC_L1_04, mapping.toString())
                .note(Section.DECIDE, SubclusterClause.QC_SUB_13, which + " get their zero bits")
                .note(Section.DECIDE, GuestClause.QC_GUEST_03, "what they hold is not shown any more");
        int from = range.from() * image.geometry().subclusterSize();
        int to = Math.min(
                range.to() * image.geometry().subclusterSize(), image.geometry().lengthOf(guest));
        DataFile.planZeros(image, plan, guest, from, to - from);
        parts.linkL2(plan, mapping, entry);
        return plan.build();
    }
}
