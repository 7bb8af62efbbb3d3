package dev.qcow2.reference;

import dev.qcow2.spec.clause.SnapshotClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
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

    Snapshots(Image image, ImageWriter writer, InstantSource clock) {
        this.image = image;
        this.writer = writer;
        this.clock = clock;
        this.reach = new Reach(image);
    }

    /** Lists the snapshots in the order of the table. */
    List<SnapshotInfo> list() throws DiskException {
        long size = image.header().diskSize();
        return SnapshotTable.read(image).entries().stream()
                .map(e -> e.info(size))
                .toList();
    }

    /** Takes a snapshot (QC-SNAP-01, QC-SNAP-02). */
    SnapshotInfo create(String name) throws DiskException {
        int nameLength = name.getBytes(StandardCharsets.UTF_8).length;
        if (nameLength == 0 || nameLength > SnapshotEntry.HIGHEST_NAME_LENGTH) {
            throw new IllegalArgumentException("the name has " + nameLength + " bytes of UTF-8, allowed is 1 to 65535");
        }
        SnapshotTable old = SnapshotTable.read(image);
        List<L1Entry> l1 = reach.activeL1();
        SnapshotTable draft = old.with(entry(0, l1.size(), old.nextId(), name));
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
        SnapshotEntry entry = entry(l1Offset, l1.size(), old.nextId(), name);
        writer.apply(writer.snapshots().enter(l1, old.with(entry), old));
        return entry.info(image.header().diskSize());
    }

    private SnapshotEntry entry(long l1Offset, int l1Size, String id, String name) {
        return SnapshotEntry.of(l1Offset, l1Size, id, name, image.header().diskSize(), clock.instant());
    }

    /** Makes the disk hold what it held when the snapshot was taken (QC-SNAP-03). */
    void load(String id) throws DiskException {
        SnapshotEntry entry = SnapshotTable.read(image).find(image, id);
        long size = image.header().diskSize();
        if (entry.info(size).diskSize() != size) {
            throw new RequestRefusedException(
                    image.file().name(),
                    SnapshotClause.QC_SNAP_03,
                    "snapshot " + id + " is of a disk of " + entry.info(size).diskSize() + " bytes");
        }
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
        int entries = Math.max(l1.size(), Math.toIntExact(image.geometry().l1EntriesNeeded()));
        if (entries > 0) {
            writer.makeCountable(writer.snapshots().clustersFor(entries, new SnapshotTable(List.of())));
            writer.apply(writer.snapshots().switchTo(l1, entries));
        }
        // Every cluster of the new active tables is the snapshot's too, so no COPIED flag is due (QC-SNAP-03).
        writer.apply(writer.snapshots().lower(lost));
    }

    /** Removes a snapshot and what only it reached. */
    void delete(String id) throws DiskException {
        SnapshotTable old = SnapshotTable.read(image);
        SnapshotEntry entry = old.find(image, id);
        entry.requireL1Table(image);
        List<L1Entry> l1 = reach.l1Table(entry.l1Offset(), entry.l1Size());
        Map<HostCluster, Long> references = reach.references(l1);
        reach.requireDroppable(references);
        SnapshotTable left = old.without(entry);
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
