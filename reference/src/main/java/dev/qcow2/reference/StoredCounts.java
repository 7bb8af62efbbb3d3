package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The counts as the image stores them, read without believing anything: a broken part counts nothing. */
final class StoredCounts {

    private static final long RESERVED = 0x1ff;

    private final RepairPass pass;
    private final Image image;
    private final List<Long> entries = new ArrayList<>();
    private long cachedBlock = -1;
    private ByteBuffer cached = ByteBuffer.allocate(0);

    /**
     * Reads the refcount table.
     *
     * @param tableIsThere whether the header names a place where one can be
     */
    StoredCounts(RepairPass pass, boolean tableIsThere) throws DiskException {
        this.pass = pass;
        this.image = pass.image();
        if (tableIsThere) {
            Header header = image.header();
            long bytes = (long) header.refcountTableClusters() << header.clusterBits();
            ByteBuffer table = pass.read(header.refcountTableOffset(), bytes);
            while (table.hasRemaining()) {
                entries.add(table.getLong());
            }
        }
    }

    /** Entries of the refcount table. */
    int entries() {
        return entries.size();
    }

    /** An entry as it stands. */
    long entry(int index) {
        return entries.get(index);
    }

    /** Whether an entry leads to a block, as far as it alone can tell. */
    boolean leadsToBlock(int index) throws DiskException {
        long entry = entries.get(index);
        return (entry & RESERVED) == 0
                && entry > 0
                && pass.inFile(entry, image.geometry().clusterSize());
    }

    /** Whether a block can be looked for where its entry says, though there may be no entry, or no such place in the file. */
    boolean canBeRead(long index) {
        long entry = index < entries.size() ? entries.get((int) index) : 0;
        return entry >= 0 && image.geometry().offsetInCluster(entry) == 0;
    }

    /** Reads a block that {@link #leadsToBlock} found. */
    ByteBuffer block(int index) throws DiskException {
        return pass.read(entries.get(index), image.geometry().clusterSize());
    }

    /** The count of a cluster; 0 where no block is, or none can be. */
    long count(HostCluster host) throws DiskException {
        long index = image.geometry().blockIndex(host);
        if (index >= entries.size() || !leadsToBlock((int) index)) {
            return 0;
        }
        if (index != cachedBlock) {
            cached = block((int) index);
            cachedBlock = index;
        }
        return Counts.get(
                cached, image.geometry().placeInBlock(host), image.geometry().refcountOrder());
    }
}
