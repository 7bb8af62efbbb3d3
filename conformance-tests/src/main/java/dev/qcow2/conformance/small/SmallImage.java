package dev.qcow2.conformance.small;

import dev.qcow2.conformance.small.SmallEntry.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * An image of the bound: two guest clusters of 512 bytes, two host clusters for data, at most one
 * snapshot, no backing file.
 *
 * <p>Two entries may name one data cluster, for reference counts permit that; but not one as compressed
 * data and another as plain data, for then one of them would read the other's bytes. Images that differ
 * only in which data cluster is which are one: the first that is named is number 0.
 *
 * @param version 2 or 3
 * @param active the entries of the two guest clusters
 * @param table whether there is an active L2 table; there may be none if both entries are unallocated
 * @param snapshot what the snapshot has
 * @param saved the entries in the snapshot; empty if it has no L2 table of its own
 */
record SmallImage(int version, List<SmallEntry> active, boolean table, Snapshot snapshot, List<SmallEntry> saved) {

    /** Guest clusters, and host clusters for data. */
    static final int CLUSTERS = 2;

    /** What a snapshot has. */
    enum Snapshot {
        /** There is none. */
        NONE,
        /** It shares the active L2 table. */
        SHARED_TABLE,
        /** It has an L2 table of its own. */
        OWN_TABLE
    }

    SmallImage {
        active = List.copyOf(active);
        saved = List.copyOf(saved);
    }

    /** All images of the bound. */
    static List<SmallImage> all() {
        List<SmallImage> images = new ArrayList<>();
        for (int version = 2; version <= 3; version++) {
            List<List<SmallEntry>> tables = tables(version);
            for (List<SmallEntry> active : tables) {
                images.add(new SmallImage(version, active, true, Snapshot.NONE, List.of()));
                images.add(new SmallImage(version, active, true, Snapshot.SHARED_TABLE, List.of()));
                for (List<SmallEntry> saved : tables) {
                    images.add(new SmallImage(version, active, true, Snapshot.OWN_TABLE, saved));
                    if (active.stream().allMatch(entry -> entry.kind() == Kind.UNALLOCATED)) {
                        images.add(new SmallImage(version, active, false, Snapshot.OWN_TABLE, saved));
                    }
                }
            }
            List<SmallEntry> nothing =
                    List.of(new SmallEntry(Kind.UNALLOCATED, -1), new SmallEntry(Kind.UNALLOCATED, -1));
            images.add(new SmallImage(version, nothing, false, Snapshot.NONE, List.of()));
            images.add(new SmallImage(version, nothing, false, Snapshot.SHARED_TABLE, List.of()));
        }
        return images.stream()
                .filter(image -> image.keepsFormsApart() && image.isFirstOfItsTwins())
                .toList();
    }

    private static List<List<SmallEntry>> tables(int version) {
        List<SmallEntry> entries = Stream.of(Kind.values())
                .filter(kind -> version == 3 || kind.inVersion2())
                .flatMap(kind -> kind.hosted()
                        ? Stream.of(new SmallEntry(kind, 0), new SmallEntry(kind, 1))
                        : Stream.of(new SmallEntry(kind, -1)))
                .toList();
        return entries.stream()
                .flatMap(one -> entries.stream().map(other -> List.of(one, other)))
                .toList();
    }

    /** All entries of all tables. */
    List<SmallEntry> entries() {
        return Stream.concat(active.stream(), saved.stream()).toList();
    }

    private boolean keepsFormsApart() {
        for (int host = 0; host < CLUSTERS; host++) {
            int wanted = host;
            List<SmallEntry> users =
                    entries().stream().filter(entry -> entry.host() == wanted).toList();
            boolean packed = users.stream().anyMatch(SmallEntry::compressed);
            if (packed && !users.stream().allMatch(SmallEntry::compressed)) {
                return false;
            }
        }
        return true;
    }

    private boolean isFirstOfItsTwins() {
        return entries().stream()
                .filter(entry -> entry.host() >= 0)
                .findFirst()
                .map(entry -> entry.host() == 0)
                .orElse(true);
    }

    /** How often the tables refer to a data cluster. */
    int references(int host) {
        int times = 0;
        for (SmallEntry entry : active) {
            times += entry.host() == host ? snapshot == Snapshot.SHARED_TABLE ? 2 : 1 : 0;
        }
        for (SmallEntry entry : saved) {
            times += entry.host() == host ? 1 : 0;
        }
        return times;
    }

    /** What the snapshot's entries are, wherever they stand. */
    List<SmallEntry> savedEntries() {
        return snapshot == Snapshot.OWN_TABLE ? saved : active;
    }

    @Override
    public String toString() {
        return "version " + version + ", active " + (table ? active : "no table") + ", snapshot "
                + switch (snapshot) {
                    case NONE -> "none";
                    case SHARED_TABLE -> "shares the table";
                    case OWN_TABLE -> saved.toString();
                };
    }
}
