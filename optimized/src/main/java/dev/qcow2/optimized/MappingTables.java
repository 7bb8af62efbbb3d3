package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The way from guest clusters to host clusters: the L1 table, and a bounded cache of slices of L2 tables. Guarded by the
 * image's metadata lock.
 */
final class MappingTables {

    /** A slice is 4 KiB, or a whole table where clusters are smaller: what one random request should load. */
    static final int SLICE_BITS = 12;

    private final HostFile host;
    private final StructureMap structures;
    private final int clusterBits;
    private final boolean extended;
    private final boolean dataFile;
    private final int entryBits;
    private final int l2Bits;
    private final int sliceBits;
    private final SliceCache slices;
    private final EntryChecks checks;
    private final @Nullable ChangeTeller teller;
    private RootTable l1;

    MappingTables(
            HostFile host,
            HostSpace space,
            StructureMap structures,
            ImageHeader header,
            long budgetBytes,
            @Nullable ChangeTeller teller) {
        this.structures = structures;
        this.teller = teller;
        this.host = host;
        this.checks = new EntryChecks(host, space, header);
        this.clusterBits = header.clusterBits();
        this.extended = header.extendedL2();
        this.dataFile = header.dataFile();
        this.entryBits = extended ? 4 : 3;
        this.l2Bits = clusterBits - entryBits;
        this.sliceBits = Math.min(SLICE_BITS, clusterBits);
        this.slices = new SliceCache(host, sliceBits, budgetBytes);
        this.l1 = new RootTable(host, header.l1Offset(), header.l1Size());
        structures.setL1(l1);
    }

    SliceCache slices() {
        return slices;
    }

    /** What entries of the image's tables must be like. */
    EntryChecks checks() {
        return checks;
    }

    RootTable l1() {
        return l1;
    }

    void replaceL1(RootTable other) {
        l1 = other;
        structures.setL1(other);
    }

    /** QC-L1-06: whether the L1 table reaches a guest cluster. */
    boolean reaches(long guestCluster) {
        return (guestCluster >>> l2Bits) < l1.entries();
    }

    int indexInSlice(long guestCluster) {
        return (int) guestCluster & (entriesPerSlice() - 1);
    }

    int entriesPerSlice() {
        return 1 << (sliceBits - entryBits);
    }

    /** Guest clusters from this one to the end of its slice. */
    int leftInSlice(long guestCluster) {
        return entriesPerSlice() - indexInSlice(guestCluster);
    }

    /** Guest clusters from this one to the end of its L2 table. */
    long leftInTable(long guestCluster) {
        return (1L << l2Bits) - (guestCluster & ((1L << l2Bits) - 1));
    }

    /** Returns the slice that maps a guest cluster, or null where there is no L2 table. */
    @Nullable
    Slice find(long guestCluster) throws DiskException {
        if (!reaches(guestCluster)) {
            return null;
        }
        long table = l2Offset((int) (guestCluster >>> l2Bits));
        return table == 0 ? null : slices.get(sliceOffset(table, guestCluster));
    }

    /** Returns where the slice of a guest cluster must be read from before it can be used, or -1 if it need not. */
    long missingSlice(long guestCluster) throws DiskException {
        if (!reaches(guestCluster)) {
            return -1;
        }
        long table = l2Offset((int) (guestCluster >>> l2Bits));
        long offset = sliceOffset(table, guestCluster);
        return table == 0 || slices.has(offset) ? -1 : offset;
    }

    /**
     * Gets the L2 slice of a guest cluster into memory. The metadata lock is held, and given up while the file is read, so
     * that a slow look-up keeps nobody else waiting.
     */
    void warm(long guestCluster, ReentrantLock metadata) throws DiskException {
        long missing = missingSlice(guestCluster);
        if (missing < 0 || metadata.getHoldCount() > 1) {
            return;
        }
        Slice slice = slices.borrow();
        long generation = slices.generation();
        boolean done = false;
        metadata.unlock();
        try {
            slice.view.clear();
            host.readZeroPadded(missing, slice.view);
            done = true;
        } finally {
            metadata.lock();
            if (done) {
                slices.offer(slice, missing, generation);
            } else {
                slices.giveBack(slice);
            }
        }
    }

    /** Returns a slice that may be changed, with its L2 table made or copied if need be (QC-L1-05). */
    Slice writable(long guestCluster, ClusterAllocator allocator, PendingFrees frees) throws DiskException {
        int index = (int) (guestCluster >>> l2Bits);
        long entry = l1.get(index);
        long table = l2Offset(index);
        if (table == 0 || !EntryBits.copied(entry)) {
            long fresh = newTable(table, allocator);
            l1.set(index, EntryBits.normal(fresh));
            if (teller != null) {
                teller.table(index, entry, EntryBits.normal(fresh));
            }
            if (table != 0) {
                frees.add(table >>> clusterBits);
            }
            table = fresh;
        } else {
            structures.requireOnlyL2Table(table >>> clusterBits);
        }
        return slices.get(sliceOffset(table, guestCluster));
    }

    private long newTable(long old, ClusterAllocator allocator) throws DiskException {
        long cluster = allocator.allocate(1);
        long offset = cluster << clusterBits;
        slices.forget(offset, 1L << clusterBits);
        try {
            if (old == 0) {
                allocator.clear(cluster, 1);
            } else {
                ByteBuffer copy = ByteBuffer.allocate(1 << clusterBits);
                // A shared table is never dirty in the cache, so the file has all of it.
                host.readZeroPadded(old, copy);
                host.write(offset, copy.flip());
            }
        } catch (DiskException e) {
            allocator.release(cluster, 1);
            throw e;
        }
        return offset;
    }

    /** Returns the entry of a guest cluster, checked. */
    long entry(@Nullable Slice slice, long guestCluster) throws DiskException {
        if (slice == null) {
            return 0;
        }
        int index = indexInSlice(guestCluster);
        if (extended) {
            return extendedEntry(slice, index, guestCluster);
        }
        long entry = slice.get(index);
        if (entry == 0) {
            return 0;
        }
        checks.standard(entry, slice.hostOffset + 8L * index);
        if (dataFile) {
            checks.place(entry, slice.hostOffset + 8L * index, guestCluster);
        }
        return EntryBits.meant(entry, dataFile);
    }

    private long extendedEntry(Slice slice, int index, long guestCluster) throws DiskException {
        long entry = slice.get(2 * index);
        long bitmap = slice.get(2 * index + 1);
        if ((entry | bitmap) != 0) {
            checks.extended(entry, bitmap, slice.hostOffset + 16L * index);
            if (dataFile) {
                checks.place(entry, slice.hostOffset + 16L * index, guestCluster);
            }
        }
        return EntryBits.meant(entry, dataFile);
    }

    /** Returns the first word of a guest cluster's entry, which was checked before. */
    long rawEntry(Slice slice, long guestCluster) {
        int index = indexInSlice(guestCluster);
        return slice.get(extended ? 2 * index : index);
    }

    /** Whether entries have a second word. */
    boolean extended() {
        return extended;
    }

    /** Whether guest clusters are in a file of their own, each at its own offset. */
    boolean dataFile() {
        return dataFile;
    }

    /** Bytes of an entry. */
    int entryBytes() {
        return 1 << entryBits;
    }

    /** Returns the second word of a guest cluster's entry, which {@link #entry} has checked; 0 if entries have none. */
    long bitmap(@Nullable Slice slice, long guestCluster) {
        return slice == null || !extended ? 0 : slice.get(2 * indexInSlice(guestCluster) + 1);
    }

    /** Sets the entry of a guest cluster, in a slice that {@link #writable} returned. */
    void put(Slice slice, long guestCluster, long entry, long bitmap) {
        if (teller != null) {
            teller.entry(guestCluster, rawEntry(slice, guestCluster), bitmap(slice, guestCluster), entry, bitmap);
        }
        int index = indexInSlice(guestCluster);
        slice.set(extended ? 2 * index : index, entry);
        if (extended) {
            slice.set(2 * index + 1, bitmap);
        }
    }

    /** Finds out how the disk is mapped from an offset on, for at most so many bytes. */
    void locate(long guestOffset, long atMost, Run run) throws DiskException {
        long cluster = guestOffset >>> clusterBits;
        long inCluster = guestOffset & ((1L << clusterBits) - 1);
        Slice slice = find(cluster);
        if (slice == null) {
            locateOpen(guestOffset, atMost, run);
            return;
        }
        long entry = entry(slice, cluster);
        run.kind = EntryBits.kind(entry);
        run.hostOffset = run.kind == ClusterKind.COMPRESSED ? entry : EntryBits.offset(entry) + inCluster;
        int left = leftInSlice(cluster);
        int count = 1;
        while (count < left
                && ((long) count << clusterBits) - inCluster < atMost
                && continues(run.kind, entry, entry(slice, cluster + count), count)) {
            count++;
        }
        run.length = Math.min(atMost, ((long) count << clusterBits) - inCluster);
    }

    /** The run of a guest cluster without an L2 table: all that the table would map, and behind the last L1 entry all. */
    void locateOpen(long guestOffset, long atMost, Run run) {
        long cluster = guestOffset >>> clusterBits;
        long inCluster = guestOffset & ((1L << clusterBits) - 1);
        run.kind = ClusterKind.UNALLOCATED;
        run.hostOffset = inCluster;
        run.length = reaches(cluster) ? Math.min(atMost, (leftInTable(cluster) << clusterBits) - inCluster) : atMost;
    }

    private boolean continues(ClusterKind kind, long first, long next, int distance) {
        ClusterKind nextKind = EntryBits.kind(next);
        return switch (kind) {
            case NORMAL ->
                nextKind == kind
                        && EntryBits.offset(next) == EntryBits.offset(first) + ((long) distance << clusterBits);
            case ZERO_PLAIN, ZERO_ALLOCATED ->
                nextKind == ClusterKind.ZERO_PLAIN || nextKind == ClusterKind.ZERO_ALLOCATED;
            case UNALLOCATED -> nextKind == kind;
            case COMPRESSED -> false;
        };
    }

    /**
     * Refuses to drop the entries of guest clusters that name a table of the image and are said to be the only ones that
     * do, so that it would become free. Asked before the first of them changes.
     */
    void requireDroppable(Slice slice, long guestCluster, int count) throws DiskException {
        for (int i = 0; i < count && !dataFile; i++) {
            long entry = rawEntry(slice, guestCluster + i);
            if (EntryBits.ownsCluster(entry) && EntryBits.offset(entry) != 0) {
                structures.requireNone(EntryBits.offset(entry) >>> clusterBits, 1);
            }
        }
    }

    /** Notes for later that an entry no longer refers to the host clusters that it names (QC-REF-14). */
    void drop(long entry, PendingFrees frees) {
        if (dataFile) {
            // QC-DATA-03: nothing is counted there.
            return;
        }
        if ((entry & EntryBits.COMPRESSED) != 0) {
            // QC-CMP-10: a stream may touch two clusters, and each of them counts it.
            long last = CompressedBits.lastCluster(entry, clusterBits);
            for (long cluster = CompressedBits.firstCluster(entry, clusterBits); cluster <= last; cluster++) {
                frees.add(cluster);
            }
        } else if (EntryBits.offset(entry) != 0) {
            frees.add(EntryBits.offset(entry) >>> clusterBits);
        }
    }

    /** The host offset of the L2 table of an L1 entry, checked; 0 if there is none. */
    long l2Offset(int l1Index) throws DiskException {
        long entry = l1.get(l1Index);
        if (entry == 0) {
            return 0;
        }
        return checks.l2Offset(entry, l1.entryOffset(l1Index));
    }

    private long sliceOffset(long table, long guestCluster) {
        long inTable = (guestCluster & ((1L << l2Bits) - 1)) << entryBits;
        return table + ((inTable >>> sliceBits) << sliceBits);
    }
}
