package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import java.nio.ByteBuffer;

/** Plans host clusters for guest clusters that nobody wrote yet. They read as zero before and after (QC-MNT-06). */
final class Preallocator {

    /** Makes a fresh host cluster read as zero, without writing zeros if the host can do that. */
    private record Zero(HostCluster host) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            Geometry geometry = bench.image().geometry();
            long offset = geometry.hostOffset(host);
            if (!bench.file().zero(offset, geometry.clusterSize())) {
                bench.file().write(offset, ByteBuffer.allocate(geometry.clusterSize()));
            }
        }

        @Override
        public String toString() {
            return "make " + host + " read as zero";
        }
    }

    private final Image image;
    private final ImageWriter writer;
    private final Allocator allocator;
    private final PlanParts parts;

    Preallocator(Image image, ImageWriter writer) {
        this.image = image;
        this.writer = writer;
        this.allocator = new Allocator(image);
        this.parts = new PlanParts(image);
    }

    /** Gives every guest cluster of a range that has none a host cluster of its own (QC-MNT-07). */
    void preallocate(long from, long to, Preallocation how) throws DiskException {
        Geometry geometry = image.geometry();
        for (long index = geometry.clustersFor(from); index < geometry.clustersFor(to); index++) {
            GuestCluster guest = new GuestCluster(index);
            if (!image.locate(guest).l2().hostClusters(geometry).isEmpty()) {
                continue;
            }
            // Zeros of the guest are zeros of the host only where nothing stands between them.
            boolean plain = image.header().cryptMethod() == 0;
            if (plain && how != Preallocation.FULL) {
                writer.ownTables(guest);
                writer.makeCountable(1);
                writer.apply(plan(guest));
            } else {
                writer.write(guest, 0, ByteBuffer.allocate(geometry.lengthOf(guest)));
            }
        }
    }

    private Plan plan(GuestCluster guest) throws DiskException {
        Geometry geometry = image.geometry();
        Mapping mapping = image.locate(guest);
        if (image.hasDataFile()) {
            return planInDataFile(mapping);
        }
        HostCluster fresh = allocator.findCountable(1);
        Plan.Builder plan = new Plan.Builder("preallocate " + guest)
                .note(Section.LOCATE, MaintenanceClause.QC_MNT_07, mapping.toString())
                .note(Section.DECIDE, MaintenanceClause.QC_MNT_07, "it gets " + fresh);
        parts.raise(plan, fresh);
        plan.add(Section.COPY, MaintenanceClause.QC_MNT_06, new Zero(fresh));
        ByteBuffer whole = ByteBuffer.allocate(geometry.clusterSize());
        long offset = geometry.hostOffset(fresh);
        parts.linkL2(plan, mapping, SubclusterPlanner.filled(image, mapping, offset, 0, whole));
        return plan.build();
    }

    /** A cluster of a data file has its place from the start; what may be left there from another time goes. */
    private Plan planInDataFile(Mapping mapping) throws DiskException {
        Geometry geometry = image.geometry();
        long offset = geometry.guestOffset(mapping.guest());
        int length = geometry.lengthOf(mapping.guest());
        Plan.Builder plan = new Plan.Builder("preallocate " + mapping.guest())
                .note(Section.LOCATE, MaintenanceClause.QC_MNT_07, mapping.toString())
                .note(Section.DECIDE, DataFileClause.QC_DATA_02, "it gets its place in the data file");
        DataFile.planClean(image, plan, offset, offset + length);
        ByteBuffer whole = ByteBuffer.allocate(geometry.clusterSize());
        parts.linkL2(plan, mapping, SubclusterPlanner.filled(image, mapping, offset, 0, whole));
        return plan.build();
    }
}
