package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.clause.SnapshotClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OutOfBoundsException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * The area of saved machine state. It has the guest clusters behind the disk, from the first one that an L1 entry of its own
 * maps: so its bytes are kept, shared and counted like the disk's, and a snapshot of the L1 table has both.
 */
final class VmState {

    private final Image image;
    private final Resolver resolver;
    private final ImageWriter writer;

    VmState(Image image, Resolver resolver, ImageWriter writer) {
        this.image = image;
        this.resolver = resolver;
        this.writer = writer;
    }

    /** Reads bytes; those that were never written are zero. */
    void read(long offset, ByteBuffer into) throws DiskException {
        requireAddressable(offset, into.remaining());
        resolver.read(start() + offset, into);
    }

    /** Writes bytes, cluster by cluster. */
    void write(long offset, ByteBuffer from) throws DiskException {
        DataFile.requireNone(image, "machine state");
        requireAddressable(offset, from.remaining());
        Geometry geometry = image.geometry();
        long at = start() + offset;
        while (from.hasRemaining()) {
            int inCluster = geometry.offsetInCluster(at);
            int length = Math.min(from.remaining(), geometry.clusterSize() - inCluster);
            writer.write(geometry.guestCluster(at), inCluster, from.slice(from.position(), length));
            from.position(from.position() + length);
            at += length;
        }
    }

    /** The first guest byte of the area. */
    private long start() {
        return image.geometry().mappedBy(image.geometry().l1EntriesNeeded());
    }

    /** Refuses what lies behind the last entry that the largest L1 table can have (QC-LIM-02). */
    void requireAddressable(long offset, long length) throws DiskException {
        long size = image.geometry().mappedBy(Header.HIGHEST_L1_BYTES / Geometry.ENTRY_BYTES) - start();
        if (offset < 0 || length < 0 || offset > size || length > size - offset) {
            throw new OutOfBoundsException(offset, length, size);
        }
    }

    /**
     * Empties the area, once a snapshot has its content, even if the snapshot says that none of it counts (QC-SNAP-22): the
     * L1 entries go, then the counts of what they reached.
     */
    void empty() throws DiskException {
        Reach reach = new Reach(image);
        int first = Math.toIntExact(image.geometry().l1EntriesNeeded());
        List<L1Entry> l1 = reach.activeL1();
        if (first >= l1.size()) {
            return;
        }
        Map<HostCluster, Long> references = reach.references(l1.subList(first, l1.size()));
        if (references.isEmpty()) {
            return;
        }
        reach.requireDroppable(references);
        ByteBuffer zeros = ByteBuffer.allocate((l1.size() - first) * Geometry.ENTRY_BYTES);
        long at = image.header().l1Offset() + (long) first * Geometry.ENTRY_BYTES;
        Plan.Builder plan = new Plan.Builder("empty the area of machine state")
                .note(Section.DECIDE, SnapshotClause.QC_SNAP_22, "its content belongs to the snapshot now")
                .add(Section.LINK, SnapshotClause.QC_SNAP_22, new Step.Write("L1 entries of the area", at, zeros))
                .flush(Section.RELEASE, RefcountClause.QC_REF_14);
        for (Map.Entry<HostCluster, Long> reference : references.entrySet()) {
            new PlanParts(image).lower(plan, reference.getKey(), reference.getValue(), RefcountClause.QC_REF_14);
        }
        writer.apply(plan.build());
    }
}
