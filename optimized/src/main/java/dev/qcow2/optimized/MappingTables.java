package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.MappingClause.QC_L1_01;
import static dev.qcow2.spec.clause.MappingClause.QC_L1_02;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_04;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_05;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_08;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_12;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_14;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The way from guest clusters to host clusters: the L1 table, and a bounded cache of slices of L2 tables. Guarded by the
 * image's metadata lock.
 */
final class MappingTables {

    /** A slice is 4 KiB, or a whole table where clusters are smaller: what one random request should load. */
    static final int SLICE_BITS = 12;

    private final HostFile host;
    private final HostSpace space;
    private final int version;
    private final int clusterBits;
    private final int l2Bits;
    private final int sliceBits;
    private final SliceCache slices;
    private RootTable l1;

    MappingTables(HostFile host, HostSpace space, ImageHeader header, long budgetBytes) {
        this.host = host;
        this.space = space;
        this.version = header.version();
        this.clusterBits = header.clusterBits();
        this.l2Bits = clusterBits - 3;
        this.sliceBits = Math.min(SLICE_BITS, clusterBits);
        this.slices = new SliceCache(host, sliceBits, budgetBytes);
        this.l1 = new RootTable(host, header.l1Offset(), header.l1Size());
    }

    SliceCache slices() {
        return slices;
    }

    RootTable l1() {
        return l1;
    }

    void replaceL1(RootTable other) {
        l1 = other;
    }

    /** QC-L1-06: whether the L1 table reaches a guest cluster. */
    boolean reaches(long guestCluster) {
        return (guestCluster >>> l2Bits) < l1.entries();
    }

    int indexInSlice(long guestCluster) {
        return (int) guestCluster & (entriesPerSlice() - 1);
    }

    int entriesPerSlice() {
        return 1 << (sliceBits - 3);
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

    /** Returns a slice that may be changed, with its L2 table made or copied if need be (QC-L1-05). */
    Slice writable(long guestCluster, ClusterAllocator allocator, PendingFrees frees) throws DiskException {
        int index = (int) (guestCluster >>> l2Bits);
        long entry = l1.get(index);
        long table = l2Offset(index);
        if (table == 0 || !EntryBits.copied(entry)) {
            long fresh = newTable(table, allocator);
            l1.set(index, EntryBits.normal(fresh));
            if (table != 0) {
                frees.add(table >>> clusterBits);
            }
            table = fresh;
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
        long entry = slice.get(index);
        if (entry != 0) {
            check(entry, slice.hostOffset + 8L * index);
        }
        return entry;
    }

    /** Finds out how the disk is mapped from an offset on, for at most so many bytes. */
    void locate(long guestOffset, long atMost, Run run) throws DiskException {
        long cluster = guestOffset >>> clusterBits;
        long inCluster = guestOffset & ((1L << clusterBits) - 1);
        Slice slice = find(cluster);
        if (slice == null) {
            run.kind = ClusterKind.UNALLOCATED;
            run.length = Math.min(atMost, (leftInTable(cluster) << clusterBits) - inCluster);
            return;
        }
        long entry = entry(slice, cluster);
        run.kind = EntryBits.kind(entry);
        run.hostOffset = EntryBits.offset(entry) + inCluster;
        int left = leftInSlice(cluster);
        int count = 1;
        while (count < left
                && ((long) count << clusterBits) - inCluster < atMost
                && continues(run.kind, entry, entry(slice, cluster + count), count)) {
            count++;
        }
        run.length = Math.min(atMost, ((long) count << clusterBits) - inCluster);
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

    /** Refuses to touch a compressed cluster, rather than to misread it. */
    UnsupportedFeatureException compressed() {
        return new UnsupportedFeatureException(host.name(), QC_L2_12, "compressed clusters");
    }

    /** The host offset of the L2 table of an L1 entry, checked; 0 if there is none. */
    long l2Offset(int l1Index) throws DiskException {
        long entry = l1.get(l1Index);
        if (entry == 0) {
            return 0;
        }
        return checkedL2Offset(entry, l1.entryOffset(l1Index));
    }

    /** Checks an entry of any L1 table, and returns the L2 table's offset in it. */
    long checkedL2Offset(long entry, long entryAt) throws DiskException {
        if (EntryBits.l1ReservedSet(entry)) {
            throw corrupt(QC_L1_02, entryAt, entry, "reserved bits clear");
        }
        long offset = EntryBits.offset(entry);
        if ((offset & ((1L << clusterBits) - 1)) != 0) {
            throw corrupt(QC_L1_01, entryAt, entry, "a multiple of the cluster size");
        }
        if (offset != 0 && !space.mayBeNamed(offset)) {
            throw corrupt(QC_L2_14, entryAt, entry, "an offset inside the file");
        }
        return offset;
    }

    void check(long entry, long entryAt) throws DiskException {
        // QC-L2-02: nothing of what follows is said of compressed descriptors.
        if ((entry & EntryBits.COMPRESSED) != 0) {
            return;
        }
        if (EntryBits.l2ReservedSet(entry)) {
            throw corrupt(QC_L2_05, entryAt, entry, "reserved bits clear");
        }
        if (version == 2 && (entry & EntryBits.ZERO) != 0) {
            throw corrupt(QC_L2_08, entryAt, entry, "bit 0 clear in version 2");
        }
        long offset = EntryBits.offset(entry);
        if ((offset & ((1L << clusterBits) - 1)) != 0) {
            throw corrupt(QC_L2_04, entryAt, entry, "a multiple of the cluster size");
        }
        if (offset != 0 && !space.mayBeNamed(offset)) {
            throw corrupt(QC_L2_14, entryAt, entry, "an offset inside the file");
        }
    }

    private CorruptImageException corrupt(Clause clause, long entryAt, long entry, String allowed) {
        return new CorruptImageException(host.name(), clause, entryAt, RefcountStore.hex(entry), allowed);
    }

    private long sliceOffset(long table, long guestCluster) {
        long inTable = (guestCluster & ((1L << l2Bits) - 1)) << 3;
        return table + ((inTable >>> sliceBits) << sliceBits);
    }
}
