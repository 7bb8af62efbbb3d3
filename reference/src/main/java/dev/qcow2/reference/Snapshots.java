package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.SnapshotInfo;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The snapshots inside an image. Each operation is a row of plans with one switch of a header field among them: what
 * comes before only raises counts, what comes after only lowers them, so a cut anywhere leaves leaks at most. What could
 * not be finished is refused before the first plan.
 */
final class Snapshots {

    private final Image image;
    private final ImageWriter writer;
    private final InstantSource clock;
    private final Reach reach;
    private final VmState vmState;

    Snapshots(Image image, ImageWriter writer, VmState vmState, InstantSource clock) {
        this.image = image;
        this.writer = writer;
        this.clock = clock;
        this.reach = new Reach(image);
        this.vmState = vmState;
    }

    VmState vmState() {
        return vmState;
    }

    /** Lists the snapshots in the order of the table. */
    List<SnapshotInfo> list() throws DiskException {
        long size = image.header().diskSize();
        return SnapshotTable.read(image).entries().stream()
                .map(e -> e.info(size))
                .toList();
    }

    /** Takes a snapshot (QC-SNAP-01, QC-SNAP-02) that keeps so many bytes of machine state. */
    SnapshotInfo create(String name, long vmStateSize) throws DiskException {
        int nameLength = name.getBytes(StandardCharsets.UTF_8).length;
        if (nameLength == 0 || nameLength > SnapshotEntry.HIGHEST_NAME_LENGTH) {
            throw new IllegalArgumentException("the name has " + nameLength + " bytes of UTF-8, allowed is 1 to 65535");
        }
        if (vmStateSize < 0) {
            throw new IllegalArgumentException("a negative size of machine state: " + vmStateSize);
        }
        DataFile.requireNone(image, "a snapshot");
        vmState.requireAddressable(0, vmStateSize);
        SnapshotTable old = SnapshotTable.read(image);
        List<L1Entry> l1 = reach.activeL1();
        SnapshotInfo info = new SnapshotInfo(old.nextId(), name, image.header().diskSize(), vmStateSize);
        SnapshotTable kept = old.asWritten(image.header());
        SnapshotTable draft = kept.with(SnapshotEntry.of(0, l1.size(), info, clock.instant()));
        draft.requireWithinLimits(image);
        Map<HostCluster, Long> references = reach.references(l1);
        reach.requireShareable(references);
        writer.apply(writer.snapshots().raise(references));
        clearFlags(l1);
        for (int i = 0; i < l1.size(); i++) {
            if (l1.get(i).allocated()) {
                writer.apply(writer.snapshots().clearL1Flag(i, l1.get(i)));
            }
        }
        writer.makeCountable(writer.snapshots().clustersFor(l1.size(), draft));
        long l1Offset = writer.snapshots().placeOfL1(l1.size(), draft);
        SnapshotEntry entry = SnapshotEntry.of(l1Offset, l1.size(), info, clock.instant());
        writer.apply(writer.snapshots().enter(l1, kept.with(entry), old));
        vmState.empty();
        return info;
    }

    /** Makes the disk what it was when the snapshot was taken (QC-SNAP-03); also its size, if the entry says that. */
    void load(String id) throws DiskException {
        DataFile.requireNone(image, "a snapshot");
        SnapshotEntry entry = SnapshotTable.read(image).find(image, id);
        long size = entry.info(image.header().diskSize()).diskSize();
        entry.requireL1Table(image);
        List<L1Entry> l1 = reach.l1Table(entry.l1Offset(), entry.l1Size());
        Map<HostCluster, Long> wanted = reach.references(l1);
        Map<HostCluster, Long> held = reach.references(reach.activeL1());
        // What both tables reach keeps its count: only one of them is the active one at any time.
        Map<HostCluster, Long> gained = Reach.more(wanted, held);
        Map<HostCluster, Long> lost = Reach.more(held, wanted);
        reach.requireShareable(gained);
        reach.requireDroppable(held);
        writer.apply(writer.snapshots().raise(gained));
        clearFlags(l1);
        long needed = image.geometry().withDiskSize(size).l1EntriesNeeded();
        int entries = Math.max(l1.size(), Math.toIntExact(needed));
        if (entries > 0) {
            writer.makeCountable(writer.snapshots().clustersFor(entries, new SnapshotTable(List.of())));
        }
        writer.apply(writer.snapshots().switchTo(l1, entries, size));
        // Every cluster of the new active tables is the snapshot's too, so no COPIED flag is due (QC-SNAP-03).
        writer.apply(writer.snapshots().lower(lost));
    }

    /** Removes a snapshot and what only it reached. */
    void delete(String id) throws DiskException {
        DataFile.requireNone(image, "a snapshot");
        SnapshotTable old = SnapshotTable.read(image);
        SnapshotEntry entry = old.find(image, id);
        entry.requireL1Table(image);
        List<L1Entry> l1 = reach.l1Table(entry.l1Offset(), entry.l1Size());
        Map<HostCluster, Long> references = reach.references(l1);
        reach.requireDroppable(references);
        SnapshotTable left = old.without(entry).asWritten(image.header());
        writer.makeCountable(writer.snapshots().clustersFor(0, left));
        writer.apply(writer.snapshots().remove(entry, left, old));
        writer.apply(writer.snapshots().lower(references));
        rebuildFlags();
    }

    private void clearFlags(List<L1Entry> l1) throws DiskException {
        for (L1Entry table : l1) {
            if (table.allocated()) {
                writer.apply(writer.snapshots().clearFlags(table));
            }
        }
    }

    /** Lets the flags of the active tables follow the counts. */
    private void rebuildFlags() throws DiskException {
        for (int i = 0; i < image.header().l1Size(); i++) {
            Optional<Plan> rebuild = writer.snapshots().rebuildFlags(i);
            if (rebuild.isPresent()) {
                writer.apply(rebuild.get());
            }
        }
    }
}
