package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * Changes the length of a disk. One write of the size field is the moment at which it changes.
 *
 * <p>To grow, all that the guest will see in addition is made to read as zero before that moment. To shrink, what lies
 * behind the new end is given up after it, so that a failure before leaves the disk as it was; what a power cut leaves
 * behind the end is never shown, for growing does not trust it.
 */
final class Resizer {

    private static final long HIGHEST_L1_BYTES = 32 << 20;

    private final Image image;
    private final Resolver resolver;
    private final PlanObserver observer;
    private final boolean writable;

    Resizer(Image image, Resolver resolver, PlanObserver observer, boolean writable) {
        this.image = image;
        this.resolver = resolver;
        this.observer = observer;
        this.writable = writable;
    }

    /** The tools of a resize, which see the disk with another size than the header says. */
    private record View(Image image, Resolver resolver, ImageWriter writer) {}

    private View view(long size) {
        Image view = image.withDiskSize(size);
        Resolver seen = new Resolver(view, resolver.backing());
        return new View(view, seen, new ImageWriter(view, seen, observer));
    }

    /** Refuses what can't be done, before anything changes. */
    void requirePossible(long newSize, Preallocation preallocation) throws DiskException {
        if (!writable) {
            throw new ReadOnlyException(image.file().name());
        }
        Header header = image.header();
        long l1Bytes = header.withDiskSize(newSize).geometry().l1EntriesNeeded() * Geometry.ENTRY_BYTES;
        require(l1Bytes <= HIGHEST_L1_BYTES, LimitClause.QC_LIM_02, "the disk is too large for its clusters");
        boolean snapshotsKnowTheirSize = header.snapshotCount() == 0
                || (header.version() > 2 && SnapshotTable.read(image).incomplete(header) == 0);
        require(snapshotsKnowTheirSize, MaintenanceClause.QC_MNT_04, "there are snapshots");
        boolean nothingToAllocate = newSize >= header.diskSize() || preallocation == Preallocation.OFF;
        require(nothingToAllocate, MaintenanceClause.QC_MNT_07, "a disk that shrinks has nothing to preallocate");
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(image.file().name(), clause, reason);
        }
    }

    /** Resizes the disk. */
    void resize(long newSize, Preallocation preallocation) throws DiskException {
        requirePossible(newSize, preallocation);
        long oldSize = image.header().diskSize();
        if (newSize > oldSize) {
            grow(oldSize, newSize, preallocation);
        } else if (newSize < oldSize) {
            shrink(oldSize, newSize);
        }
    }

    /** Gives up all that the disk itself holds: its backing file shows again. */
    void dropAll() throws DiskException {
        dropTables(view(image.header().diskSize()), 0);
    }

    private void grow(long oldSize, long newSize, Preallocation preallocation) throws DiskException {
        // What stands behind the guest's part of the L1 table would become the guest's.
        dropTables(view(oldSize), Math.toIntExact(image.geometry().l1EntriesNeeded()));
        View after = view(newSize);
        try {
            Geometry geometry = after.image().geometry();
            after.writer().ownL1(geometry.guestCluster(newSize - 1));
            zeroNewPart(after, oldSize, newSize);
            lengthenDataFile(after, oldSize, newSize);
            if (preallocation != Preallocation.OFF) {
                new Preallocator(after.image(), after.writer()).preallocate(oldSize, newSize, preallocation);
            }
            setSize(after, newSize);
        } catch (DiskException e) {
            giveUp(oldSize, e);
            throw e;
        }
        image.reloadHeader();
    }

    /** QC-MNT-03: what was taken for a part that is not coming is given back as far as the host lets us. */
    private void giveUp(long oldSize, DiskException cause) {
        try {
            image.reloadHeader();
            dropBehind(view(oldSize), oldSize);
        } catch (DiskException e) {
            cause.addSuppressed(e);
        }
    }

    /** QC-MNT-01: nothing that a backing file or an older, longer disk left there may show. */
    private static void zeroNewPart(View after, long oldSize, long newSize) throws DiskException {
        Geometry geometry = after.image().geometry();
        int inCluster = geometry.offsetInCluster(oldSize);
        long whole = geometry.clustersFor(oldSize) << geometry.clusterBits();
        if (inCluster > 0) {
            int length = (int) (Math.min(newSize, whole) - oldSize);
            new SubclusterWriter(after.image(), after.writer())
                    .zeroPart(geometry.guestCluster(oldSize), inCluster, length);
            zeroHostTail(after, oldSize, length);
        }
        if (whole >= newSize) {
            return;
        }
        Layer.Extents extents = new Layer.Extents();
        after.resolver().status(whole, newSize - whole, 0, extents);
        for (BlockStatus extent : extents.list()) {
            for (long at = extent.guestOffset();
                    extent.content() != BlockStatus.Content.ZERO && at < extent.end();
                    at = geometry.guestOffset(
                            new GuestCluster(geometry.guestCluster(at).index() + 1))) {
                after.writer().zero(geometry.guestCluster(at), ZeroMode.MAY_UNMAP);
            }
        }
    }

    /** A cluster whose end was beyond the disk's: its status speaks of the part that was inside. */
    private static void zeroHostTail(View view, long from, int length) throws DiskException {
        ByteBuffer tail = ByteBuffer.allocate(length);
        view.resolver().read(from, tail);
        for (byte value : tail.array()) {
            if (value != 0) {
                Geometry geometry = view.image().geometry();
                GuestCluster guest = geometry.guestCluster(from);
                view.writer().write(guest, geometry.offsetInCluster(from), ByteBuffer.allocate(length));
                return;
            }
        }
    }

    /** QC-DATA-09, QC-DATA-11: a raw data file holds what the guest will read, and any one reaches to the disk's end. */
    private static void lengthenDataFile(View after, long oldSize, long newSize) throws DiskException {
        if (after.image().dataFile().isEmpty()) {
            return;
        }
        DataFile data = after.image().dataFile().get();
        Plan.Builder plan = new Plan.Builder("lengthen the data file")
                .note(Section.LOCATE, DataFileClause.QC_DATA_11, data.file().size() + " bytes so far");
        if (data.raw()) {
            DataFile.planClean(after.image(), plan, oldSize, newSize);
        }
        if (data.file().size() < newSize) {
            DataFile.planLength(plan, Section.COPY, newSize);
        }
        after.writer().apply(plan.build());
    }

    private static void shortenDataFile(View before, long newSize) throws DiskException {
        if (before.image().dataFile().isPresent()) {
            Plan.Builder plan = new Plan.Builder("shorten the data file")
                    .note(Section.LOCATE, DataFileClause.QC_DATA_11, newSize + " bytes are the disk's");
            DataFile.planLength(plan, Section.RELEASE, newSize);
            before.writer().apply(plan.build());
        }
    }

    private void shrink(long oldSize, long newSize) throws DiskException {
        View before = view(oldSize);
        setSize(before, newSize);
        image.reloadHeader();
        try {
            dropBehind(before, newSize);
            shrinkL1(before.writer());
            zeroTail(before, oldSize, newSize);
            shortenDataFile(before, newSize);
        } finally {
            image.reloadHeader();
        }
    }

    /** The last cluster belongs to the disk in part: the rest of it is gone for good (QC-MNT-02). */
    private static void zeroTail(View before, long oldSize, long newSize) throws DiskException {
        Geometry geometry = before.image().geometry();
        int inCluster = geometry.offsetInCluster(newSize);
        if (inCluster > 0) {
            long end = Math.min(oldSize, geometry.clustersFor(newSize) << geometry.clusterBits());
            new SubclusterWriter(before.image(), before.writer())
                    .zeroPart(geometry.guestCluster(newSize), inCluster, (int) (end - newSize));
        }
    }

    private void setSize(View view, long size) throws DiskException {
        Plan.Builder plan = new Plan.Builder("set the disk's size")
                .note(
                        Section.LOCATE,
                        MaintenanceClause.QC_MNT_03,
                        image.header().diskSize() + " bytes so far");
        plan.flush(Section.LINK, MaintenanceClause.QC_MNT_03);
        plan.add(
                Section.LINK,
                MaintenanceClause.QC_MNT_03,
                new Step.Write("size", Header.SIZE_FIELD, PlanParts.entryBytes(size)));
        plan.flush(Section.LINK, MaintenanceClause.QC_MNT_03);
        view.writer().apply(plan.build());
    }

    /** Gives up all that lies behind an end: whole L2 tables, then the rest of the last one that is needed. */
    private void dropBehind(View view, long end) throws DiskException {
        Geometry geometry = image.header().withDiskSize(end).geometry();
        int needed = Math.toIntExact(geometry.l1EntriesNeeded());
        dropTables(view, needed);
        long last = (long) needed * geometry.l2Entries();
        for (long index = geometry.clustersFor(end); index < last; index++) {
            GuestCluster guest = new GuestCluster(index);
            Mapping mapping = view.image().locate(guest);
            if (!mapping.l1().allocated()) {
                return;
            }
            if (mapping.kind() != L2Entry.Kind.UNALLOCATED) {
                view.writer().drop(guest);
            }
        }
    }

    /** Gives up L2 tables and what they refer to; snapshots keep theirs. */
    private void dropTables(View view, int firstIndex) throws DiskException {
        Reach reach = new Reach(view.image());
        for (int i = firstIndex; i < view.image().header().l1Size(); i++) {
            L1Entry entry = view.image().l1Entry(i);
            if (entry.allocated()) {
                Map<HostCluster, Long> references = reach.references(List.of(entry));
                reach.requireDroppable(references);
                long at = view.image().header().l1Offset() + (long) i * Geometry.ENTRY_BYTES;
                Plan.Builder plan = new Plan.Builder("drop an L2 table behind the end")
                        .note(Section.LOCATE, MappingClause.QC_L1_04, "L1 entry " + i + ": " + entry)
                        .add(
                                Section.LINK,
                                MaintenanceClause.QC_MNT_02,
                                new Step.Write("L1 entry", at, PlanParts.entryBytes(0)));
                plan.flush(Section.LINK, MaintenanceClause.QC_MNT_02);
                view.writer().apply(plan.build());
                view.writer().apply(view.writer().snapshots().lower(references));
            }
        }
    }

    /** Shortens the L1 table where it stands, and gives up the clusters that it no longer needs. */
    private void shrinkL1(ImageWriter writer) throws DiskException {
        Header header = image.header();
        Geometry geometry = image.geometry();
        int needed = Math.toIntExact(geometry.l1EntriesNeeded());
        if (header.l1Size() <= needed) {
            return;
        }
        long offset = needed == 0 ? 0 : header.l1Offset();
        ByteBuffer fields =
                ByteBuffer.allocate(12).putInt(needed).putLong(offset).flip();
        Plan.Builder plan = new Plan.Builder("shorten the L1 table")
                .note(Section.LOCATE, MappingClause.QC_L1_06, header.l1Size() + " entries")
                .add(
                        Section.LINK,
                        MaintenanceClause.QC_MNT_02,
                        new Step.WriteHeader("l1_size, l1_table_offset", Header.L1_FIELDS, fields));
        long kept = geometry.clustersFor((long) needed * Geometry.ENTRY_BYTES);
        long all = geometry.clustersFor((long) header.l1Size() * Geometry.ENTRY_BYTES);
        HostCluster first = geometry.hostCluster(header.l1Offset()).plus(kept);
        new PlanParts(image).release(plan, first, all - kept, MaintenanceClause.QC_MNT_02);
        writer.apply(plan.build());
    }
}
