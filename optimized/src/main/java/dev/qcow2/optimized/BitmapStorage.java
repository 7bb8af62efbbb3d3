package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.BitmapClause.QC_BM_14;
import static dev.qcow2.spec.clause.BitmapClause.QC_BM_16;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_18;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_19;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** Reads the bits of a bitmap from the file, and writes them to clusters that nothing names yet. */
final class BitmapStorage {

    private static final long LEAST_MEMORY = 16L << 20;

    private final Image image;
    private final TableGrowth growth;
    private final int clusterBits;

    BitmapStorage(Image image, TableGrowth growth) {
        this.image = image;
        this.growth = growth;
        this.clusterBits = image.clusterBits();
    }

    /** Goes over the clusters of a table. */
    private interface EntryVisitor {
        /** Visits an entry. */
        void visit(int index, long entry) throws DiskException;
    }

    private void forEach(BitmapDirectory.Entry bitmap, EntryVisitor visitor) throws DiskException {
        RootTable table = new RootTable(image.host(), bitmap.tableOffset(), bitmap.tableSize());
        for (int i = 0; i < bitmap.tableSize(); i++) {
            long entry = table.get(i);
            long offset = EntryBits.offset(entry);
            boolean plain = entry == offset || entry == 1;
            require(plain, QC_BM_14, table.entryOffset(i), entry, "reserved bits clear");
            require((offset & (image.clusterSize() - 1)) == 0, QC_BM_16, table.entryOffset(i), entry, "whole clusters");
            require(
                    offset == 0 || image.space().mayBeNamed(offset),
                    QC_LIM_18,
                    table.entryOffset(i),
                    entry,
                    "an offset inside the file");
            visitor.visit(i, entry);
        }
    }

    private void require(boolean holds, Clause clause, long at, long entry, String allowed) throws DiskException {
        if (!holds) {
            throw new MalformedImageException(image.host().name(), clause, at, RefcountStore.hex(entry), allowed);
        }
    }

    BitmapBits load(BitmapDirectory.Entry bitmap) throws DiskException {
        HostFile host = image.host();
        BitmapBits bits = new BitmapBits(bitmap.granularityBits(), image.size());
        long clusterBitCount = image.clusterSize() * 8;
        ByteBuffer bytes = ByteBuffer.allocate((int) image.clusterSize());
        long most = Math.max(LEAST_MEMORY, host.size());
        forEach(bitmap, (index, entry) -> {
            long first = index * clusterBitCount;
            if (first >= bits.size() || entry == 0) {
                return;
            }
            if (entry == 1) {
                // QC-BM-15
                bits.setBits(first, Math.min(bits.size(), first + clusterBitCount) - 1);
            } else {
                host.readZeroPadded(entry, bytes.clear());
                bits.load(first, bytes.flip());
            }
            // QC-LIM-19: one cluster that a table names a thousand times is no reason to take that memory.
            require((index & 63) != 0 || bits.memory() <= most, QC_LIM_19, bitmap.tableOffset(), entry, "less");
        });
        return bits;
    }

    /** Notes all clusters of a stored bitmap for being freed. */
    void free(BitmapDirectory.Entry bitmap, PendingFrees frees) throws DiskException {
        forEach(bitmap, (index, entry) -> {
            if (EntryBits.offset(entry) != 0) {
                frees.add(entry >>> clusterBits);
            }
        });
        freeRange(bitmap.tableOffset(), 8L * bitmap.tableSize(), frees);
    }

    void freeRange(long offset, long bytes, PendingFrees frees) {
        if (bytes > 0) {
            frees.addRun(offset >>> clusterBits, (bytes + image.clusterSize() - 1) >>> clusterBits);
        }
    }

    /** Writes bits and their table to new clusters. */
    BitmapDirectory.Entry store(BitmapDirectory.Entry bitmap, int flags, BitmapBits bits) throws DiskException {
        long needed = BitmapDirectory.tableSizeFor(clusterBits, bitmap.granularityBits(), image.size());
        int clusters = Math.toIntExact(Math.max(1, needed));
        ByteBuffer table = ByteBuffer.allocate(8 * clusters);
        ByteBuffer bytes = ByteBuffer.allocate((int) image.clusterSize());
        long clusterBitCount = image.clusterSize() * 8;
        for (int i = 0; i < clusters; i++) {
            long first = i * clusterBitCount;
            if (bits.isClear(first, clusterBitCount) || !bits.store(first, bytes)) {
                table.putLong(0);
            } else {
                long offset = allocate(image.clusterSize());
                image.host().write(offset, bytes);
                table.putLong(offset);
            }
        }
        long tableOffset = allocate(table.capacity());
        image.host().write(tableOffset, table.flip());
        return bitmap.stored(flags, tableOffset, clusters);
    }

    /** Takes clusters in one piece, which read as zero. */
    long allocate(long bytes) throws DiskException {
        long clusters = (bytes + image.clusterSize() - 1) >>> clusterBits;
        growth.ensureRoomFor(clusters);
        long first = image.allocator().allocateContiguous(clusters);
        image.allocator().clear(first, clusters);
        return first << clusterBits;
    }
}
