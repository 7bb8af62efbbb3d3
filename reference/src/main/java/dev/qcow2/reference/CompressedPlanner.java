package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.CompressionClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Plans to write guest clusters in compressed form. Data starts at a sector: behind the data that was packed before if it
 * fits there or the next host cluster is free too, else in a fresh host cluster. No sector has data of two clusters, so a
 * write that is cut by a power failure harms nothing that was flushed.
 */
final class CompressedPlanner {

    private final Image image;
    private final Allocator allocator;
    private final PlanParts parts;

    CompressedPlanner(Image image, Allocator allocator) {
        this.image = image;
        this.allocator = allocator;
        this.parts = new PlanParts(image);
    }

    /** A compressed cluster has no parts that could be written: a range ends at cluster borders, or with the disk. */
    void requireWholeClusters(long guestOffset, long length) throws DiskException {
        if (image.header().cryptMethod() != 0 || image.hasDataFile()) {
            String reason = "a compressed write to an image with encryption or a data file";
            throw new RequestRefusedException(image.file().name(), CompressionClause.QC_CMP_16, reason);
        }
        Geometry geometry = image.geometry();
        long end = guestOffset + length;
        boolean ends = geometry.offsetInCluster(end) == 0 || end == geometry.diskSize();
        if (geometry.offsetInCluster(guestOffset) != 0 || !ends) {
            throw new RequestRefusedException(
                    image.file().name(), MappingClause.QC_L2_12, "a compressed write of parts of clusters");
        }
    }

    /** Packs a cluster into whole sectors; empty if that saves none, and the cluster is better stored as it is. */
    Optional<ByteBuffer> pack(ByteBuffer payload) {
        byte[] cluster = new byte[image.geometry().clusterSize()];
        payload.duplicate().get(cluster, 0, payload.remaining());
        byte[] packed = Codec.of(image.header()).pack(cluster);
        int sectors = (packed.length - 1) / CompressedDescriptor.SECTOR + 1;
        int length = sectors * CompressedDescriptor.SECTOR;
        return length < cluster.length ? Optional.of(ByteBuffer.wrap(Arrays.copyOf(packed, length))) : Optional.empty();
    }

    /** Plans to make packed data the content of a guest cluster. One free cluster can be counted, and its L2 table is ready. */
    Plan write(GuestCluster guest, ByteBuffer packed) throws DiskException {
        Geometry geometry = image.geometry();
        Mapping mapping = image.locate(guest);
        CompressedDescriptor place = place(mapping, packed.remaining());
        Plan.Builder plan = new Plan.Builder("write " + guest + " in compressed form")
                .note(Section.LOCATE, MappingClause.QC_L1_04, mapping.toString())
                .note(Section.DECIDE, MappingClause.QC_L2_12, "pack it into " + place);
        for (HostCluster host : place.hostClusters(geometry)) {
            parts.raise(plan, host);
        }
        plan.add(Section.COPY, MappingClause.QC_L2_12, new Step.Write("packed data", place.hostOffset(), packed));
        parts.linkL2(plan, mapping, L2Entry.compressed(place));
        plan.add(Section.LINK, MappingClause.QC_L2_12, new KeepPackingPlace(place.hostOffset() + place.length()));
        parts.releaseOld(plan, mapping, RefcountClause.QC_REF_14);
        return plan.build();
    }

    /** Remembers where the next compressed cluster may be packed, now that the one before it is there. */
    private record KeepPackingPlace(long hostOffset) implements Step {
        @Override
        public void perform(Workbench bench) {
            bench.allocator().keepPackingPlace(hostOffset);
        }

        @Override
        public String toString() {
            return "remember the free bytes at " + hostOffset;
        }
    }

    private CompressedDescriptor place(Mapping mapping, int length) throws DiskException {
        Geometry geometry = image.geometry();
        HostCluster fresh = allocator.findCountable(1);
        long next = allocator.packingPlace();
        int used = geometry.offsetInCluster(next);
        // At the border of a cluster there is no room left in the one before.
        if (used != 0 && mayTakeMore(geometry.hostCluster(next), mapping.l2().hostClusters(geometry))) {
            boolean fits = length <= geometry.clusterSize() - used;
            if (fits || fresh.equals(geometry.hostCluster(next).plus(1))) {
                return new CompressedDescriptor(next, length);
            }
        }
        return new CompressedDescriptor(geometry.hostOffset(fresh), length);
    }

    /** Not where the count can't rise (QC-REF-11), and not where the same plan lowers it. */
    private boolean mayTakeMore(HostCluster host, List<HostCluster> leaving) throws DiskException {
        return !leaving.contains(host)
                && image.countOfUsed(host) < image.geometry().highestCount();
    }
}
