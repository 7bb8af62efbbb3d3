package dev.qcow2.reference;

import dev.qcow2.spec.clause.GuestClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Changes one guest cluster at a time, by plans that follow each other: first those that make its tables ready, then its
 * own. Each is planned from the file as the one before left it.
 */
final class ImageWriter {

    private final Image image;
    private final Resolver resolver;
    private final Workbench bench;
    private final Planner planner;
    private final Allocator allocator;
    private final TablePlanner tables;
    private final RefcountPlanner refcounts;
    private final SnapshotPlanner snapshots;

    ImageWriter(Image image, Resolver resolver, PlanObserver observer) {
        this.allocator = new Allocator(image);
        this.image = image;
        this.resolver = resolver;
        this.bench = new Workbench(image, resolver, allocator, observer);
        this.planner = new Planner(image, allocator);
        this.tables = new TablePlanner(image, allocator);
        this.refcounts = new RefcountPlanner(image, allocator);
        this.snapshots = new SnapshotPlanner(image, allocator);
    }

    SnapshotPlanner snapshots() {
        return snapshots;
    }

    Allocator allocator() {
        return allocator;
    }

    /** Hears that another writer has changed the image. */
    void forgetPlaces() {
        bench.allocator().forget();
    }

    void apply(Plan plan) throws DiskException {
        bench.apply(plan);
    }

    /** Refuses a range that can't be written in compressed form. */
    void requireCompressible(long guestOffset, long length) throws DiskException {
        new CompressedPlanner(image, allocator).requireWholeClusters(guestOffset, length);
    }

    /** Writes bytes that lie in one guest cluster. */
    void write(GuestCluster guest, int offsetInCluster, ByteBuffer payload) throws DiskException {
        // First of all, so that a broken or unsupported entry is refused before anything changes.
        boolean fresh = planner.decideWrite(image.locate(guest)) == Planner.WriteWay.COPY_ON_WRITE;
        ownTables(guest);
        if (fresh) {
            makeCountable(1);
        }
        bench.apply(planner.write(guest, offsetInCluster, payload));
    }

    /** Zeroes a guest cluster as a whole, as far as it belongs to the disk. */
    Fate zero(GuestCluster guest, ZeroMode mode) throws DiskException {
        Mapping mapping = image.locate(guest);
        boolean owned = planner.ownsHost(mapping);
        Fate fate = Fate.ofZeroed(image.header().version(), resolver.hasBacking(), mode, mapping.kind(), owned);
        if (fate == Fate.ZEROS_AS_DATA) {
            zeroPart(guest, 0, image.geometry().lengthOf(guest));
        } else if (fate != Fate.NOTHING) {
            ownTables(guest);
            bench.apply(planner.settle("zero", GuestClause.QC_GUEST_03, guest, fate));
        }
        return fate;
    }

    /** Zeroes a part of a guest cluster by writing zeros, unless the part reads as zero already. */
    void zeroPart(GuestCluster guest, int offsetInCluster, int length) throws DiskException {
        Layer.Extents extents = new Layer.Extents();
        resolver.status(image.geometry().guestOffset(guest) + offsetInCluster, length, 0, extents);
        if (extents.list().stream().anyMatch(e -> e.content() != Content.ZERO)) {
            write(guest, offsetInCluster, ByteBuffer.allocate(length));
        }
    }

    /** Discards a guest cluster as a whole, as far as it belongs to the disk. */
    Fate discard(GuestCluster guest) throws DiskException {
        Mapping mapping = image.locate(guest);
        Fate fate = Fate.ofDiscarded(image.header().version(), resolver.hasBacking(), mapping.kind());
        if (fate != Fate.NOTHING) {
            ownTables(guest);
            bench.apply(planner.settle("discard", GuestClause.QC_GUEST_04, guest, fate));
        }
        return fate;
    }

    /** Gives up what a guest cluster behind the disk's end refers to (QC-MNT-02). */
    void drop(GuestCluster guest) throws DiskException {
        ownTables(guest);
        bench.apply(planner.settle("drop", MaintenanceClause.QC_MNT_02, guest, Fate.UNALLOCATED));
    }

    /** Sees to it that the L1 table reaches a guest cluster. */
    void ownL1(GuestCluster guest) throws DiskException {
        if (tables.needsL1(guest)) {
            makeCountable(tables.l1Clusters(guest));
            bench.apply(tables.growL1(guest));
        }
    }

    /** Sees to it that the L2 table of a guest cluster is there and may be changed. */
    void ownTables(GuestCluster guest) throws DiskException {
        ownL1(guest);
        if (tables.needsL2(guest)) {
            makeCountable(1);
            bench.apply(tables.ownL2(guest));
        }
    }

    /** Sees to it that the refcount blocks can count so many more clusters in a row. */
    void makeCountable(long clusters) throws DiskException {
        for (Optional<Plan> plan = refcounts.next(clusters); plan.isPresent(); plan = refcounts.next(clusters)) {
            bench.apply(plan.get());
        }
    }
}
