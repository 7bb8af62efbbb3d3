package dev.qcow2.reference;

import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSuchSnapshotException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The snapshot table: entries that follow each other (QC-SNAP-04). Immutable; a change makes another table.
 *
 * @param entries in the order of the file
 */
record SnapshotTable(List<SnapshotEntry> entries) {

    private static final long HIGHEST_BYTES = 64 << 20;
    private static final int HIGHEST_COUNT = 65536;

    /** Reads the table that the header names. */
    static SnapshotTable read(Image image) throws DiskException {
        Header header = image.header();
        List<SnapshotEntry> entries = new ArrayList<>();
        long at = header.snapshotsOffset();
        for (int i = 0; i < header.snapshotCount(); i++) {
            SnapshotEntry entry = SnapshotEntry.parse(image, at);
            entries.add(entry);
            at += entry.length();
            if (at - header.snapshotsOffset() > HIGHEST_BYTES) {
                throw image.corrupt(LimitClause.QC_LIM_05, at, "a snapshot table of this length", "up to 64 MiB");
            }
        }
        return new SnapshotTable(List.copyOf(entries));
    }

    /** Finds a snapshot by its id. */
    SnapshotEntry find(Image image, String id) throws NoSuchSnapshotException {
        return entries.stream()
                .filter(e -> e.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new NoSuchSnapshotException(image.file().name(), id));
    }

    /** QC-SNAP-08: one more than the highest number that is an id; ids that are no numbers don't count. */
    String nextId() {
        long highest = entries.stream()
                .map(SnapshotEntry::id)
                .filter(id -> id.matches("[0-9]{1,18}"))
                .mapToLong(Long::parseLong)
                .max()
                .orElse(0);
        return Long.toString(highest + 1);
    }

    SnapshotTable with(SnapshotEntry added) {
        List<SnapshotEntry> more = new ArrayList<>(entries);
        more.add(added);
        return new SnapshotTable(List.copyOf(more));
    }

    SnapshotTable without(SnapshotEntry removed) {
        List<SnapshotEntry> fewer = new ArrayList<>(entries);
        fewer.remove(removed);
        return new SnapshotTable(List.copyOf(fewer));
    }

    /** The table with entries as version 3 wants them (QC-SNAP-07). */
    SnapshotTable withSizes(long diskSize) {
        return new SnapshotTable(
                entries.stream().map(entry -> entry.withSizes(diskSize)).toList());
    }

    /** The table as a writer leaves it: complete, if the version demands that. */
    SnapshotTable asWritten(Header header) {
        return header.version() > 2 ? withSizes(header.diskSize()) : this;
    }

    /** Entries that lack what version 3 demands of them (QC-SNAP-07). */
    long incomplete(Header header) {
        return header.version() > 2
                ? entries.stream().filter(entry -> !entry.isComplete()).count()
                : 0;
    }

    long lengthInBytes() {
        return entries.stream().mapToLong(SnapshotEntry::length).sum();
    }

    /** Refuses a table that no reader would accept. */
    void requireWithinLimits(Image image) throws RequestRefusedException {
        if (entries.size() > HIGHEST_COUNT || lengthInBytes() > HIGHEST_BYTES) {
            throw new RequestRefusedException(
                    image.file().name(), LimitClause.QC_LIM_05, entries.size() + " snapshots are too many");
        }
    }

    ByteBuffer encode() {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(lengthInBytes()));
        entries.forEach(e -> bytes.put(e.bytes().duplicate().clear()));
        return bytes.flip();
    }
}
