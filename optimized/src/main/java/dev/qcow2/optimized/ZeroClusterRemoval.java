package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.RefcountClause.QC_REF_03;
import static dev.qcow2.spec.clause.RefcountClause.QC_REF_16;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns all zero clusters, of the disk and of its snapshots, into what version 2 can say (QC-MNT-31): nothing, or zeros as
 * data where a backing file would show. Who reads sees the same before, in between and after.
 *
 * <p>Each L2 table is changed where it is and for all who share it, so nothing is copied and what was shared stays shared.
 * A cluster that a table names has one reference for each L1 entry that names the table (QC-SNAP-01).
 */
final class ZeroClusterRemoval {

    /** So much of changed tables waits for the flush that must come before they are written. */
    private static final int MOST_WAITING_BYTES = 4 << 20;

    private static final int ZERO_STEP = 1 << 18;

    /** A table as it shall be, and the clusters that it no longer names then. */
    private record Changed(long cluster, ByteBuffer table, PendingFrees dropped) {}

    private final Image image;
    private final TableGrowth growth;
    private final boolean nothingBelow;
    private final TableCensus census;
    private final int clusterBits;
    private final List<Changed> waiting = new ArrayList<>();

    /**
     * Makes ready.
     *
     * @param nothingBelow whether neither now nor later a backing file shows through what is unallocated
     */
    ZeroClusterRemoval(Image image, TableGrowth growth, boolean nothingBelow) throws DiskException {
        this.image = image;
        this.growth = growth;
        this.nothingBelow = nothingBelow;
        this.clusterBits = image.clusterBits();
        image.checkpoint().run();
        this.census = TableCensus.of(image.host(), image.space(), image.header());
    }

    /** Does it, while no other request is under way. */
    void run() throws DiskException {
        requireSound();
        census.forEachWithZeros((cluster, table) -> {
            change(cluster, table);
            if ((long) waiting.size() << clusterBits >= MOST_WAITING_BYTES) {
                writeTables();
            }
        });
        writeTables();
        image.checkpoint().run();
        // What a snapshot's zero cluster kept may be the disk's alone now, perhaps since an earlier try that was cut
        // off. The
        // lowered counts are on disk first.
        image.checkpoint().flushHost();
        new MappedTree(image).setCopied(image.mapping().l1());
        image.checkpoint().run();
    }

    /** QC-MNT-28: broken entries, and counts that are too low, show before anything changes. */
    private void requireSound() throws DiskException {
        ClusterUse dropped = new ClusterUse(image.host().name());
        census.forEachWithZeros((cluster, table) -> {
            image.allocator().structures().requireOnlyL2Table(cluster);
            requireCount(cluster, census.names(cluster));
            for (int at = 0; at < table.capacity(); at += 8) {
                long entry = table.getLong(at);
                image.mapping().checks().standard(entry, (cluster << clusterBits) + at);
                if (TableCensus.isZero(entry) && EntryBits.offset(entry) != 0) {
                    dropped.add(EntryBits.offset(entry) >>> clusterBits, census.names(cluster), Kind.DATA);
                }
            }
        });
        dropped.forEachUsed(cluster -> {
            requireCount(cluster, dropped.count(cluster));
            // QC-REF-16: it is written to or given back.
            image.allocator().structures().requireNone(cluster, 1);
            require(census.names(cluster) == 0, QC_REF_16, cluster, "an L2 table as a guest cluster", "one use");
        });
    }

    private void requireCount(long cluster, long references) throws DiskException {
        long count = image.refcounts().count(cluster);
        boolean enough = Long.compareUnsigned(count, references) >= 0;
        require(enough, QC_REF_03, cluster, "the count " + Long.toUnsignedString(count), references + " or more");
    }

    private void require(boolean holds, Clause clause, long cluster, String found, String allowed)
            throws DiskException {
        if (!holds) {
            throw new CorruptImageException(image.host().name(), clause, cluster << clusterBits, found, allowed);
        }
    }

    private void change(long cluster, ByteBuffer table) throws DiskException {
        Changed changed = new Changed(cluster, table, new PendingFrees());
        int entries = table.capacity() / 8;
        for (int first = 0; first < entries; ) {
            int end = first;
            while (end < entries && TableCensus.isZero(table.getLong(8 * end))) {
                end++;
            }
            while (first < end) {
                first += change(changed, first, end - first);
            }
            first = end + 1;
        }
        waiting.add(changed);
    }

    /** Changes the first of so many zero clusters, and perhaps further ones; returns how many. */
    private int change(Changed changed, int index, int atMost) throws DiskException {
        long names = census.names(changed.cluster());
        long kept = EntryBits.offset(changed.table().getLong(8 * index));
        if (nothingBelow) {
            put(changed, index, 0);
            return 1;
        }
        // QC-MNT-31: only if it is nobody else's, for what is hidden here may be shown there.
        boolean reuses = kept != 0 && image.options().reuseZeroAllocated();
        if (reuses && image.refcounts().count(kept >>> clusterBits) == names) {
            show(changed, index, kept, 1);
            return 1;
        }
        if (image.checkpoint().isDue()) {
            image.checkpoint().run();
        }
        growth.ensureRoomFor(1);
        long first = image.allocator().allocate(mayFollow(changed.table(), index, atMost));
        int length = image.allocator().runLength();
        for (int i = 0; i < length; i++) {
            // The table has this count at least, so it fits (QC-REF-11).
            image.refcounts().set(first + i, names);
        }
        show(changed, index, first << clusterBits, length);
        return length;
    }

    /** Makes entries show host clusters in a row, which are zeroed. */
    private void show(Changed changed, int index, long hostOffset, int length) throws DiskException {
        long guest = census.firstGuestCluster(changed.cluster()) + index;
        writeZeros(hostOffset, guest << clusterBits, (long) length << clusterBits);
        for (int i = 0; i < length; i++) {
            long offset = hostOffset + ((long) i << clusterBits);
            put(changed, index + i, census.ownedByDisk(changed.cluster()) ? EntryBits.normal(offset) : offset);
        }
    }

    /** How many zero clusters without a host cluster there are in a row, for which one allocation may do. */
    private int mayFollow(ByteBuffer table, int index, int atMost) {
        boolean runs = image.options().runAllocation();
        int most = runs ? Math.min(atMost, Math.max(1, MOST_WAITING_BYTES >>> clusterBits)) : 1;
        int length = 1;
        while (length < most && EntryBits.offset(table.getLong(8 * (index + length))) == 0) {
            length++;
        }
        return length;
    }

    private void put(Changed changed, int index, long entry) {
        long old = EntryBits.offset(changed.table().getLong(8 * index));
        if (old != 0 && old != EntryBits.offset(entry)) {
            changed.dropped().add(old >>> clusterBits);
        }
        changed.table().putLong(8 * index, entry);
    }

    /** Behind the disk's end too: QEMU lets a longer backing file show through in machine state. */
    private void writeZeros(long hostOffset, long guestOffset, long length) throws DiskException {
        if (image.guestData().zero(hostOffset, length)) {
            return;
        }
        ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(length, ZERO_STEP));
        for (long done = 0; done < length; done += zeros.capacity()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), length - done));
            image.guestData().write(hostOffset + done, guestOffset + done, zeros);
        }
    }

    /** Writes the tables that wait, once all that they name is safe (QC-L2-13); then their old clusters may go. */
    private void writeTables() throws DiskException {
        if (!nothingBelow) {
            image.checkpoint().run();
        }
        for (Changed changed : waiting) {
            long offset = changed.cluster() << clusterBits;
            image.mapping().slices().forget(offset, image.clusterSize());
            image.host().write(offset, changed.table().clear());
            for (long i = 0; i < census.names(changed.cluster()); i++) {
                drop(changed.dropped());
            }
        }
        waiting.clear();
    }

    /** QC-REF-14: the next checkpoint lowers the counts, after a flush. */
    private void drop(PendingFrees dropped) throws DiskException {
        for (int run = 0; run < dropped.runs(); run++) {
            image.checkpoint().frees().addRun(dropped.first(run), dropped.length(run));
            if (image.checkpoint().isDue()) {
                image.checkpoint().run();
            }
        }
    }
}
