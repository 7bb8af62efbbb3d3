package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An image file and the questions that its metadata answers. Each question reads the file: nothing but the header is
 * remembered. Nothing is changed here.
 */
final class Image {

    private final HostFile file;
    private Header header;
    private GuestData data;
    private OptionalLong plannedSize = OptionalLong.empty();

    private Image(HostFile file, Header header) {
        this.file = file;
        this.header = header;
        this.data = new GuestData(file, Optional.empty());
    }

    /** Reads and checks the header. */
    static Image of(HostFile file) throws DiskException {
        ByteBuffer first = ByteBuffer.allocate(Header.KNOWN_LENGTH);
        file.read(0, first);
        Header header = Header.parse(file.name(), first.flip());
        return new Image(file, header);
    }

    /** Reads the header again, after it was changed in the file. */
    void reloadHeader() throws DiskException {
        Header read = of(file).header;
        header = plannedSize.isPresent() ? read.withDiskSize(plannedSize.getAsLong()) : read;
        header.requireTables(file.name(), file.size());
    }

    /** Another view of the same file, in which the disk has a size that it will have or had: a resize needs both. */
    Image withDiskSize(long size) {
        Image view = new Image(file, header.withDiskSize(size));
        view.plannedSize = OptionalLong.of(size);
        view.data = data;
        return view;
    }

    HostFile file() {
        return file;
    }

    /** Where the bytes of guest clusters are. */
    GuestData data() {
        return data;
    }

    /** Sees guest clusters through a cipher from now on. */
    void unlock(GuestData.Encryption encryption) {
        data = new GuestData(file, Optional.of(encryption));
    }

    /** Finds guest clusters in an external data file from now on. */
    void attach(DataFile external) {
        data = data.in(external);
    }

    /** The external data file, if it is open. */
    Optional<DataFile> dataFile() {
        return data.external();
    }

    /** Whether guest clusters are in an external data file. */
    boolean hasDataFile() {
        return (header.incompatible() & FeatureBits.DATA_FILE) != 0;
    }

    /** Makes all that was written safe: first the data (QC-DATA-14), then what points to it. */
    void flush() throws DiskException {
        data.flush();
        file.flush();
    }

    /** Gives up the file and the data file. */
    void close() throws DiskException {
        try {
            file.close();
        } finally {
            data.close();
        }
    }

    Header header() {
        return header;
    }

    Geometry geometry() {
        return header.geometry();
    }

    /** Reads bytes of the file; the tail of a structure may lie past its end and reads as zero. */
    ByteBuffer read(long hostOffset, int length) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        file.readZeroPadded(hostOffset, bytes);
        return bytes.flip();
    }

    /** Finds a guest cluster of the disk. */
    Mapping locate(GuestCluster guest) throws DiskException {
        L1Entry l1 = l1Entry(geometry().l1Index(guest));
        if (!l1.allocated()) {
            return new Mapping(guest, l1, 0, L2Entry.UNALLOCATED);
        }
        int entryBytes = geometry().l2EntryBytes();
        long at = l1.l2Offset() + (long) geometry().l2Index(guest) * entryBytes;
        Mapping mapping = new Mapping(guest, l1, at, L2Entry.parse(this, at, read(at, entryBytes)));
        DataFile.requireInPlace(this, mapping);
        return mapping;
    }

    /** Reads an entry of the active L1 table; beyond its end nothing is allocated (QC-L1-06). */
    L1Entry l1Entry(int index) throws DiskException {
        if (index >= header.l1Size()) {
            return L1Entry.UNALLOCATED;
        }
        long at = header.l1Offset() + (long) index * Geometry.ENTRY_BYTES;
        return L1Entry.parse(this, at, read(at, Geometry.ENTRY_BYTES).getLong(0));
    }

    /** Reads an entry of the refcount table; beyond its end no block is there. */
    RefcountTableEntry refcountTableEntry(long index) throws DiskException {
        if (index >= header.refcountTableEntries()) {
            return RefcountTableEntry.NONE;
        }
        long at = refcountTableEntryAt(index);
        return RefcountTableEntry.parse(this, at, read(at, Geometry.ENTRY_BYTES).getLong(0));
    }

    long refcountTableEntryAt(long index) {
        return header.refcountTableOffset() + index * Geometry.ENTRY_BYTES;
    }

    /** Returns how many references a host cluster has (QC-REF-01). */
    long count(HostCluster host) throws DiskException {
        RefcountTableEntry entry = refcountTableEntry(geometry().blockIndex(host));
        if (!entry.allocated()) {
            return 0;
        }
        int order = header.refcountOrder();
        int place = geometry().placeInBlock(host);
        ByteBuffer bytes = read(entry.blockOffset() + Counts.byteOf(place, order), Counts.bytesPerCount(order));
        return Counts.get(bytes, Counts.placeInByte(place, order), order);
    }

    /** Returns the count of a cluster that something refers to, so it can't be 0 (QC-REF-03). */
    long countOfUsed(HostCluster host) throws DiskException {
        return countOfUsed(host, 1);
    }

    /** Returns the count of a cluster that has at least so many references. */
    long countOfUsed(HostCluster host, long references) throws DiskException {
        long count = count(host);
        if (count < references) {
            throw corrupt(
                    RefcountClause.QC_REF_03,
                    geometry().hostOffset(host),
                    "a cluster in use with count " + Long.toUnsignedString(count),
                    references + " or more, below 2^63");
        }
        return count;
    }

    /** Refuses an offset that can't be that of a cluster of its own. */
    void requireClusterStart(long offset, Clause aligned, Clause inFile, long at) throws DiskException {
        if (geometry().offsetInCluster(offset) != 0) {
            throw corrupt(aligned, at, offset, "a multiple of the cluster size");
        }
        if (header.inL1Table(offset) || header.inRefcountTable(offset)) {
            throw corrupt(RefcountClause.QC_REF_16, at, offset, "a cluster outside the L1 and refcount tables");
        }
        if (offset <= 0 || offset >= file.size()) {
            throw corrupt(inFile, at, offset, "an offset inside the file");
        }
    }

    /** Says that an entry is broken. */
    CorruptImageException corrupt(Clause clause, long at, long foundBits, String allowed) {
        return corrupt(clause, at, "0x" + Long.toHexString(foundBits), allowed);
    }

    CorruptImageException corrupt(Clause clause, long at, String found, String allowed) {
        return new CorruptImageException(file.name(), clause, at, found, allowed);
    }
}
