package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * All that an L1 table reaches: its L2 tables and their clusters. Snapshots go over it as a whole. The caller has written
 * everything dirty, and no other request is under way, so the file is the truth.
 */
final class MappedTree {

    private final Image image;
    private final int clusterBits;

    MappedTree(Image image) {
        this.image = image;
        this.clusterBits = image.clusterBits();
    }

    /** What is done to one cluster that the tree names. */
    private interface ClusterAction {
        void apply(long cluster) throws DiskException;
    }

    /** The new value of an entry. */
    private interface EntryChange {
        long apply(long entry) throws DiskException;
    }

    /** Refuses if the count of any cluster can't be raised (QC-REF-11). */
    void requireRaisable(RootTable l1, RootTable present) throws DiskException {
        RefcountStore refcounts = image.refcounts();
        Map<Long, Long> raises = new HashMap<>();
        forEach(l1, present, cluster -> {
            long already = raises.getOrDefault(cluster, 0L);
            refcounts.requireRaisable(cluster, already);
            // Streams share clusters, so a cluster may be raised more than once, but not more often than it is counted.
            if (!refcounts.canDouble(cluster)) {
                raises.put(cluster, already + 1);
            }
        });
    }

    /**
     * QC-SNAP-01: raises the count of every cluster that the tree names, but for those that another tree, which is about
     * to go, names at the same place: there one reference takes the place of the other, and no count need have room.
     */
    void raise(RootTable l1, RootTable leaving) throws DiskException {
        forEach(l1, leaving, image.refcounts()::raise);
    }

    /** Lowers them, but for those that took over; the reference to the tree has gone from the disk. */
    void lower(RootTable l1, RootTable successor) throws DiskException {
        forEach(l1, successor, cluster -> {
            image.checkpoint().frees().add(cluster);
            if (image.checkpoint().isDue()) {
                image.checkpoint().run();
            }
        });
    }

    /** Looks at all that the tree names from a table on, so that what is broken shows before anything changes. */
    void check(RootTable l1, int firstTable) throws DiskException {
        forEach(l1, new RootTable(image.host(), l1.hostOffset(), Math.min(firstTable, l1.entries())), cluster -> {
            if (image.refcounts().count(cluster) == 0) {
                throw image.refcounts().freeButNamed(cluster);
            }
        });
    }

    /** Gives up the tables of the active tree from an L1 entry on, and all that they name. */
    void giveUpFrom(int firstTable) throws DiskException {
        image.checkpoint().run();
        RootTable l1 = image.mapping().l1();
        boolean any = false;
        for (int i = firstTable; i < l1.entries(); i++) {
            any |= l1.get(i) != 0;
        }
        if (!any) {
            return;
        }
        RootTable before = new RootTable(image.host(), l1.hostOffset(), l1.entries());
        l1.copyInto(before);
        for (int i = firstTable; i < l1.entries(); i++) {
            l1.set(i, 0);
        }
        image.checkpoint().run();
        // QC-REF-14: the entries have gone from the disk.
        lower(before, l1);
        image.mapping().slices().forgetClean();
        image.checkpoint().run();
    }

    /** A tree that names nothing. */
    RootTable nothing() {
        return new RootTable(image.host(), 0, 0);
    }

    /** QC-SNAP-02: no entry says any more that it is the only one. */
    void clearCopied(RootTable l1) throws DiskException {
        changeEntries(l1, entry -> entry & ~EntryBits.COPIED);
    }

    /** QC-L1-03, QC-L2-03: entries say that they are the only one exactly where that is so. */
    void setCopied(RootTable l1) throws DiskException {
        changeEntries(l1, entry -> {
            if ((entry & EntryBits.COMPRESSED) != 0) {
                return entry & ~EntryBits.COPIED;
            }
            long offset = EntryBits.offset(entry);
            boolean alone = offset != 0 && image.refcounts().count(offset >>> clusterBits) == 1;
            return alone ? entry | EntryBits.COPIED : entry & ~EntryBits.COPIED;
        });
    }

    private void forEach(RootTable l1, RootTable other, ClusterAction action) throws DiskException {
        ByteBuffer table = ByteBuffer.allocate(1 << clusterBits);
        ByteBuffer otherTable = ByteBuffer.allocate(1 << clusterBits);
        for (int i = 0; i < l1.entries(); i++) {
            long offset = EntryBits.offset(l1.get(i));
            long otherOffset = i < other.entries() ? EntryBits.offset(other.get(i)) : 0;
            if (offset == 0 || offset == otherOffset) {
                continue;
            }
            load(l1, i, table);
            if (otherOffset == 0) {
                otherTable.clear().put(new byte[otherTable.capacity()]);
            } else {
                load(other, i, otherTable);
            }
            forEachEntry(table, offset, otherTable, action);
            action.apply(offset >>> clusterBits);
        }
    }

    private void forEachEntry(ByteBuffer table, long tableOffset, ByteBuffer otherTable, ClusterAction action)
            throws DiskException {
        if (image.mapping().dataFile()) {
            // QC-DATA-03: entries name places that nobody counts.
            return;
        }
        for (int at = 0; at < table.capacity(); at += image.mapping().entryBytes()) {
            long entry = reference(checked(table, tableOffset, at));
            if (entry == 0 || entry == reference(otherTable.getLong(at))) {
                continue;
            }
            if ((entry & EntryBits.COMPRESSED) == 0) {
                action.apply(entry >>> clusterBits);
                continue;
            }
            long last = CompressedBits.lastCluster(entry, clusterBits);
            for (long cluster = CompressedBits.firstCluster(entry, clusterBits); cluster <= last; cluster++) {
                action.apply(cluster);
            }
        }
    }

    /** What an entry refers to, without what it says about it: an offset, or a compressed descriptor. */
    private static long reference(long entry) {
        return (entry & EntryBits.COMPRESSED) != 0 ? entry & ~EntryBits.COPIED : EntryBits.offset(entry);
    }

    private void changeEntries(RootTable l1, EntryChange change) throws DiskException {
        ByteBuffer table = ByteBuffer.allocate(1 << clusterBits);
        for (int i = 0; i < l1.entries(); i++) {
            long offset = load(l1, i, table);
            if (offset != 0) {
                changeTable(table, offset, change);
                long entry = l1.get(i);
                long changed = change.apply(entry);
                // Only the active table is ours to change; the flags of others mean nothing (QC-L1-03).
                if (l1 == image.mapping().l1() && changed != entry) {
                    l1.set(i, changed);
                }
            }
        }
    }

    private void changeTable(ByteBuffer table, long offset, EntryChange change) throws DiskException {
        boolean changed = false;
        for (int at = 0; at < table.capacity(); at += image.mapping().entryBytes()) {
            long entry = checked(table, offset, at);
            long after = change.apply(entry);
            changed |= after != entry;
            table.putLong(at, after);
        }
        if (changed) {
            // Past the cache: its slices are clean, and are read again when they are needed.
            image.mapping().slices().forget(offset, table.capacity());
            image.host().write(offset, table.clear());
        }
    }

    private long load(RootTable l1, int index, ByteBuffer table) throws DiskException {
        long entry = l1.get(index);
        long offset = entry == 0 ? 0 : image.mapping().checks().l2Offset(entry, l1.entryOffset(index));
        if (offset != 0) {
            image.host().readZeroPadded(offset, table.clear());
        }
        return offset;
    }

    private long checked(ByteBuffer table, long tableOffset, int at) throws DiskException {
        long entry = table.getLong(at);
        if (image.mapping().extended()) {
            image.mapping().checks().extended(entry, table.getLong(at + 8), tableOffset + at);
        } else if (entry != 0) {
            image.mapping().checks().standard(entry, tableOffset + at);
        }
        return entry;
    }
}
