package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.RefcountClause.QC_REF_03;
import static dev.qcow2.spec.clause.RefcountClause.QC_REF_04;
import static dev.qcow2.spec.clause.RefcountClause.QC_REF_05;
import static dev.qcow2.spec.clause.RefcountClause.QC_REF_11;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import org.jspecify.annotations.Nullable;

/**
 * The reference counts: the refcount table and a bounded cache of its blocks. Guarded by the image's metadata lock.
 *
 * <p>The counts here are never lower than what the disk's pointers need: a count is raised here before the pointer is
 * made, and lowered only when the flush that dropped the pointer is over (QC-REF-14). So a block may be written to the
 * file at any moment.
 */
final class RefcountStore {

    private final HostFile host;
    private final HostSpace space;
    private final StructureMap structures;
    private final int clusterBits;
    private final int order;
    private final int blockBits;
    private final int sliceCountBits;
    private final int sliceBits;
    private final SliceCache blocks;
    private final @Nullable ChangeTeller teller;
    private RootTable table;

    RefcountStore(
            HostFile host,
            HostSpace space,
            StructureMap structures,
            ImageHeader header,
            long budgetBytes,
            @Nullable ChangeTeller teller) {
        this.structures = structures;
        this.teller = teller;
        this.host = host;
        this.space = space;
        this.clusterBits = header.clusterBits();
        this.order = header.refcountOrder();
        // QC-REF-07
        this.blockBits = clusterBits + 3 - order;
        this.sliceBits = Math.min(MappingTables.SLICE_BITS, clusterBits);
        this.sliceCountBits = sliceBits + 3 - order;
        this.blocks = new SliceCache(host, sliceBits, budgetBytes);
        this.table =
                new RootTable(host, header.refcountTableOffset(), header.refcountTableClusters() << (clusterBits - 3));
        structures.setRefcountTable(table);
    }

    SliceCache blocks() {
        return blocks;
    }

    RootTable table() {
        return table;
    }

    void replaceTable(RootTable longer) {
        table = longer;
        structures.setRefcountTable(longer);
    }

    int clusterBits() {
        return clusterBits;
    }

    int blockBits() {
        return blockBits;
    }

    long maximum() {
        return RefcountBits.maximum(order);
    }

    /** The number of clusters that the refcount table can count without growing. */
    long capacity() {
        return (long) table.entries() << blockBits;
    }

    boolean hasBlock(long cluster) throws DiskException {
        long index = cluster >>> blockBits;
        return index < table.entries() && table.get((int) index) != 0;
    }

    long count(long cluster) throws DiskException {
        // QC-REF-06
        return hasBlock(cluster) ? RefcountBits.get(slice(cluster).bytes, indexInSlice(cluster), order) : 0;
    }

    /** Sets a count whose block is there. */
    void set(long cluster, long count) throws DiskException {
        if (teller != null) {
            teller.count(cluster, count(cluster), count);
        }
        setUntold(cluster, count);
    }

    /** Sets the count of a cluster that no entry names: the file itself needs it, and traces don't speak of it. */
    void setUntold(long cluster, long count) throws DiskException {
        structures.requireOnlyBlock(blockOffset((int) (cluster >>> blockBits)) >>> clusterBits);
        Slice slice = slice(cluster);
        RefcountBits.set(slice.bytes, indexInSlice(cluster), order, count);
        blocks.markDirty(slice);
    }

    /** Refuses if a count can't be raised once more after so many times (QC-REF-11). */
    void requireRaisable(long cluster, long times) throws DiskException {
        if (maximum() - count(cluster) == times) {
            throw new RequestRefusedException(
                    host.name(), QC_REF_11, "cluster " + cluster + " has the largest reference count already");
        }
    }

    /** Whether a count has room for as much again: that many references of one tree at most can name the cluster. */
    boolean canDouble(long cluster) throws DiskException {
        return Long.compareUnsigned(count(cluster), maximum() >>> 1) <= 0;
    }

    void raise(long cluster) throws DiskException {
        long count = count(cluster);
        if (count == 0) {
            throw corrupt(cluster, "an entry that names a free cluster");
        }
        requireRaisable(cluster, 0);
        set(cluster, count + 1);
    }

    void lower(long cluster) throws DiskException {
        long count = count(cluster);
        if (count == 0) {
            throw corrupt(cluster, "an entry that named a free cluster");
        }
        set(cluster, count - 1);
    }

    /** Makes a new block known, whose cluster reads as zero (QC-REF-10: the caller counts it). */
    void addBlock(long blockIndex, long blockCluster) throws DiskException {
        blocks.forget(blockCluster << clusterBits, 1L << clusterBits);
        table.set((int) blockIndex, blockCluster << clusterBits);
    }

    /** Where the block of a range of clusters is, or 0 (QC-REF-06). */
    long blockCluster(int index) throws DiskException {
        return table.get(index) == 0 ? 0 : blockOffset(index) >>> clusterBits;
    }

    CorruptImageException freeButNamed(long cluster) {
        return corrupt(cluster, "an entry that names a free cluster");
    }

    private CorruptImageException corrupt(long cluster, String found) {
        return new CorruptImageException(
                host.name(), QC_REF_03, cluster << clusterBits, found, "a cluster whose count is at least 1");
    }

    private int indexInSlice(long cluster) {
        return (int) cluster & ((1 << sliceCountBits) - 1);
    }

    private Slice slice(long cluster) throws DiskException {
        // QC-REF-09
        long inBlock = cluster & ((1L << blockBits) - 1);
        return blocks.get(blockOffset((int) (cluster >>> blockBits)) + ((inBlock >>> sliceCountBits) << sliceBits));
    }

    private long blockOffset(int index) throws DiskException {
        long entry = table.get(index);
        if (EntryBits.refcountTableReservedSet(entry)) {
            throw new CorruptImageException(
                    host.name(), QC_REF_05, table.entryOffset(index), hex(entry), "bits 0 to 8 clear");
        }
        if ((entry & ((1L << clusterBits) - 1)) != 0 || entry < 0 || !space.mayBeNamed(entry)) {
            throw new CorruptImageException(
                    host.name(),
                    QC_REF_04,
                    table.entryOffset(index),
                    hex(entry),
                    "a multiple of the cluster size inside the file and behind the header");
        }
        return entry;
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
