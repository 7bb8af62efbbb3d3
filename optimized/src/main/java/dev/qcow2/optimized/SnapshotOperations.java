package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_06;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_02;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_05;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSuchSnapshotException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/**
 * Snapshots. Each operation runs alone, starts and ends with everything on disk, and turns on one write of the header:
 * before it only leaks can be left behind, and after it too.
 */
final class SnapshotOperations {

    private static final int MAX_NAME_BYTES = 65535;

    private final Image image;
    private final TableGrowth growth;
    private final Clock clock;
    private final MappedTree tree;
    private final List<SnapshotTable.Entry> entries;
    private long tableOffset;

    SnapshotOperations(Image image, TableGrowth growth, Clock clock, List<SnapshotTable.Entry> entries)
            throws DiskException {
        this.image = image;
        this.growth = growth;
        this.clock = clock;
        this.tree = new MappedTree(image);
        this.entries = new ArrayList<>(entries);
        this.tableOffset = image.header().snapshotsOffset();
        noteStructures();
    }

    /** Whether each snapshot says how long its disk was (QC-MNT-04): in version 2 nobody may rely on that. */
    boolean knowTheirSize() {
        int version = image.header().version();
        return entries.isEmpty() || (version >= 3 && SnapshotTable.incomplete(entries, version) == 0);
    }

    List<SnapshotInfo> list() {
        return entries.stream().map(SnapshotTable.Entry::info).toList();
    }

    SnapshotInfo create(String name, long vmStateSize) throws DiskException {
        requireOwnClusters();
        byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        if (nameBytes.length == 0 || nameBytes.length > MAX_NAME_BYTES) {
            throw refused("a snapshot's name has 1 to 65535 bytes");
        }
        if (entries.size() == ImageHeader.MAX_SNAPSHOTS) {
            throw refused("the image has 65536 snapshots");
        }
        image.checkpoint().run();
        RootTable active = image.mapping().l1();
        // QC-REF-11: refused before anything changes.
        tree.requireRaisable(active, tree.nothing());
        SnapshotInfo info = new SnapshotInfo(nextId(), name, image.size(), vmStateSize);
        // Flags go first: a clear flag costs a copy at most, but a set one on a shared cluster destroys a snapshot.
        tree.clearCopied(active);
        image.checkpoint().run();
        RootTable copy = newL1(active, active.entries());
        tree.raise(active, tree.nothing());
        image.checkpoint().run();
        List<SnapshotTable.Entry> longer = new ArrayList<>(entries);
        longer.add(SnapshotTable.newEntry(info, nameBytes, copy.hostOffset(), copy.entries(), clock.millis()));
        replaceTable(longer);
        // QC-SNAP-22: the snapshot has the machine state now.
        tree.giveUpFrom((int) Math.min(active.entries(), image.header().l1EntriesFor(image.size())));
        return info;
    }

    void apply(String id) throws DiskException {
        requireOwnClusters();
        SnapshotTable.Entry entry = find(id);
        // QC-SNAP-12, QC-SNAP-17
        long size = entry.sized() ? entry.info().diskSize() : image.size();
        long l1Entries = image.header().l1EntriesFor(size);
        if (l1Entries > ImageHeader.MAX_L1_BYTES / 8) {
            throw new RequestRefusedException(
                    image.host().name(), QC_LIM_02, "the snapshot is of a disk of " + size + " bytes");
        }
        image.checkpoint().run();
        RootTable source = entry.l1(image.host(), image.header());
        RootTable old = image.mapping().l1();
        tree.requireRaisable(source, old);
        // QC-SNAP-03: from now on all of it is shared, so no flag may be left set.
        tree.clearCopied(source);
        RootTable active = newL1(source, (int) Math.max(source.entries(), l1Entries));
        tree.raise(source, old);
        image.checkpoint().run();
        growth.switchHeader(() -> HeaderFields.setSizeAndL1(image.host(), size, active.entries(), active.hostOffset()));
        image.setSize(size);
        image.mapping().replaceL1(active);
        image.mapping().slices().forgetClean();
        tree.lower(old, active);
        freeTable(old.hostOffset(), 8L * old.entries());
        image.checkpoint().run();
    }

    void delete(String id) throws DiskException {
        requireOwnClusters();
        SnapshotTable.Entry entry = find(id);
        RootTable dropped = entry.l1(image.host(), image.header());
        image.checkpoint().run();
        List<SnapshotTable.Entry> shorter = new ArrayList<>(entries);
        shorter.remove(entry);
        replaceTable(shorter);
        tree.lower(dropped, tree.nothing());
        freeTable(entry.l1Offset(), 8L * entry.l1Size());
        image.checkpoint().run();
        // The lowered counts are on disk before a flag says so.
        image.checkpoint().flushHost();
        tree.setCopied(image.mapping().l1());
        image.checkpoint().run();
    }

    /** QC-MNT-18: before an image becomes version 3, its snapshots say what that demands; version 2 does not read it. */
    void complete() throws DiskException {
        List<SnapshotTable.Entry> complete =
                entries.stream().map(SnapshotTable::completed).toList();
        if (!complete.equals(entries)) {
            image.checkpoint().run();
            replaceTable(complete);
        }
    }

    private void requireOwnClusters() throws DiskException {
        if (image.mapping().dataFile()) {
            throw new RequestRefusedException(
                    image.host().name(), QC_DATA_06, "snapshots of an image with an external data file");
        }
    }

    private SnapshotTable.Entry find(String id) throws DiskException {
        return entries.stream()
                .filter(entry -> entry.info().id().equals(id))
                .findFirst()
                .orElseThrow(() -> new NoSuchSnapshotException(image.host().name(), id));
    }

    private String nextId() {
        // QC-SNAP-08
        long highest = 0;
        for (SnapshotTable.Entry entry : entries) {
            String id = entry.info().id();
            if (id.matches("[0-9]{1,18}")) {
                highest = Math.max(highest, Long.parseLong(id));
            }
        }
        return Long.toString(highest + 1);
    }

    /** Writes a copy of an L1 table, without flags, to clusters of its own. */
    private RootTable newL1(RootTable source, int entriesOfCopy) throws DiskException {
        if (entriesOfCopy == 0) {
            return new RootTable(image.host(), 0, 0);
        }
        long first = allocate(8L * entriesOfCopy);
        RootTable copy = new RootTable(image.host(), first << image.clusterBits(), entriesOfCopy);
        source.copyInto(copy);
        for (int i = 0; i < copy.entries(); i++) {
            long entry = copy.get(i);
            if (EntryBits.copied(entry)) {
                copy.set(i, entry & ~EntryBits.COPIED);
            }
        }
        growth.writeOut(copy);
        return copy;
    }

    private long allocate(long bytes) throws DiskException {
        long clusters = (bytes + image.clusterSize() - 1) >>> image.clusterBits();
        growth.ensureRoomFor(clusters);
        long first = image.allocator().allocateContiguous(clusters);
        image.allocator().clear(first, clusters);
        return first;
    }

    /** QC-SNAP-10: the new table complete and counted, then the header, then the old one freed. */
    private void replaceTable(List<SnapshotTable.Entry> wanted) throws DiskException {
        List<SnapshotTable.Entry> changed =
                SnapshotTable.asWritten(wanted, image.header().version());
        long oldOffset = tableOffset;
        long oldBytes = SnapshotTable.bytes(entries);
        long offset = 0;
        if (!changed.isEmpty()) {
            offset = allocate(SnapshotTable.bytes(changed)) << image.clusterBits();
            long at = offset;
            for (SnapshotTable.Entry entry : changed) {
                image.host().write(at, entry.bytes().duplicate().clear());
                at += entry.bytes().capacity();
            }
        }
        image.checkpoint().run();
        long newOffset = offset;
        growth.switchHeader(() -> HeaderFields.setSnapshots(image.host(), changed.size(), newOffset));
        tableOffset = offset;
        entries.clear();
        entries.addAll(changed);
        noteStructures();
        freeTable(oldOffset, oldBytes);
        image.checkpoint().run();
    }

    private void noteStructures() throws DiskException {
        long fileSize = image.host().size();
        List<StructureMap.Range> ranges = new ArrayList<>();
        ranges.add(new StructureMap.Range(tableOffset, SnapshotTable.bytes(entries)));
        for (SnapshotTable.Entry entry : entries) {
            // A snapshot that is broken is refused when it is used; until then it takes nothing from the disk.
            if (entry.isPlaced(fileSize, image.clusterBits())) {
                ranges.add(new StructureMap.Range(entry.l1Offset(), 8L * entry.l1Size()));
            }
        }
        image.allocator().structures().setSnapshots(ranges);
    }

    private void freeTable(long offset, long bytes) {
        if (bytes > 0) {
            image.checkpoint()
                    .frees()
                    .addRun(offset >>> image.clusterBits(), (bytes + image.clusterSize() - 1) >>> image.clusterBits());
        }
    }

    private RequestRefusedException refused(String reason) {
        return new RequestRefusedException(image.host().name(), QC_LIM_05, reason);
    }
}
