package dev.qcow2.conformance.image;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * Reads from the bytes of an image what its tables say of a guest cluster.
 *
 * <p>Made for counting what a campaign covers: it asks no implementation, and trusts the image,
 * which the auditor has judged before.
 */
public final class ImageInspector {

    private static final long OFFSET_MASK = 0x00fffffffffffe00L;
    private static final long COMPRESSED = 1L << 62;
    private static final long COPIED = 1L << 63;
    private static final long ZERO_BIT = 1L << 32;
    private static final long DATA_FILE_BIT = 1 << 2;
    private static final long EXTENDED_L2_BIT = 1 << 4;

    private final HostFile file;
    private final int version;
    private final int clusterBits;
    private final long size;
    private final int l1Size;
    private final long l1Offset;
    private final long refcountTableOffset;
    private final long refcountTableEntries;
    private final int refcountOrder;
    private final boolean extended;
    private final boolean dataFile;

    /**
     * What is known of a cluster, or of a subcluster.
     *
     * @param state what its entry says
     * @param shared true if its L2 table or its host cluster has more users: a snapshot, or other compressed clusters
     */
    public record View(ClusterState state, boolean shared) {}

    /**
     * Reads the header.
     *
     * @param file the image
     * @throws DiskException if the host fails
     */
    public ImageInspector(HostFile file) throws DiskException {
        this.file = file;
        ByteBuffer header = ByteBuffer.allocate(104);
        file.readZeroPadded(0, header);
        version = header.getInt(4);
        clusterBits = header.getInt(20);
        size = header.getLong(24);
        l1Size = header.getInt(36);
        l1Offset = header.getLong(40);
        refcountTableOffset = header.getLong(48);
        refcountTableEntries = (long) header.getInt(56) << Math.max(0, clusterBits - 3);
        long incompatible = version == 2 ? 0 : header.getLong(72);
        extended = (incompatible & EXTENDED_L2_BIT) != 0;
        dataFile = (incompatible & DATA_FILE_BIT) != 0;
        // QC-HDR-13: version 2 has 16-bit counts.
        refcountOrder = version == 2 ? 4 : header.getInt(96);
    }

    /**
     * Returns the format version.
     *
     * @return 2 or 3
     */
    public int version() {
        return version;
    }

    /**
     * Returns the size of a cluster as a power of two.
     *
     * @return 9 to 21
     */
    public int clusterBits() {
        return clusterBits;
    }

    /**
     * Returns the size of the disk.
     *
     * @return bytes
     */
    public long size() {
        return size;
    }

    /**
     * Returns the width of a reference count as a power of two.
     *
     * @return 0 to 6
     */
    public int refcountOrder() {
        return refcountOrder;
    }

    /**
     * Says whether the image has extended L2 entries.
     *
     * @return true if clusters have 32 subclusters
     */
    public boolean extendedL2() {
        return extended;
    }

    /**
     * Looks a cluster up.
     *
     * @param cluster its index
     * @return what the active tables say; of the first subcluster, if there are any
     * @throws DiskException if the host fails
     */
    public View view(long cluster) throws DiskException {
        return view(cluster, 0);
    }

    /**
     * Looks a subcluster up.
     *
     * @param cluster index of its cluster
     * @param subcluster its index in the cluster; ignored if there are none
     * @return what the active tables say
     * @throws DiskException if the host fails
     */
    public View view(long cluster, int subcluster) throws DiskException {
        int entryBits = extended ? 4 : 3;
        int tableBits = clusterBits - entryBits;
        long l1Index = cluster >>> tableBits;
        long table = l1Index < l1Size ? tableAt(l1Offset + l1Index * 8) : 0;
        if (table == 0) {
            return new View(ClusterState.UNALLOCATED, false);
        }
        boolean tableShared = count(table) > 1;
        long place = table + ((cluster & ((1L << tableBits) - 1)) << entryBits);
        long entry = readLong(place);
        if ((entry & COMPRESSED) != 0) {
            long start = entry & ((1L << (62 - (clusterBits - 8))) - 1);
            return new View(ClusterState.COMPRESSED, tableShared || count(start) > 1);
        }
        long host = entry & OFFSET_MASK;
        // QC-DATA-02: the first cluster of a data file has the offset 0, and is told by its COPIED flag.
        long bits = extended ? readLong(place + 8) >>> subcluster : 0;
        boolean zero = extended ? (bits & ZERO_BIT) != 0 : (entry & 1) != 0;
        boolean allocated = host != 0 || (dataFile && (entry & COPIED) != 0 && (extended || !zero));
        boolean normal = !extended || (bits & 1) != 0;
        return new View(state(allocated, zero, normal), tableShared || (allocated && !dataFile && count(host) > 1));
    }

    private static ClusterState state(boolean allocated, boolean zero, boolean normal) {
        if (zero) {
            return allocated ? ClusterState.ZERO_ALLOCATED : ClusterState.ZERO_PLAIN;
        }
        if (!allocated) {
            return ClusterState.UNALLOCATED;
        }
        return normal ? ClusterState.NORMAL : ClusterState.RESERVED;
    }

    /** Returns the reference count of the cluster that a byte is in. */
    long count(long hostOffset) throws DiskException {
        long bit = countBit(hostOffset);
        if (bit < 0) {
            return 0;
        }
        int bits = 1 << refcountOrder;
        ByteBuffer bytes = ByteBuffer.allocate(8);
        bytes.position(8 - Math.max(1, bits / 8));
        file.readZeroPadded(bit / 8, bytes);
        long value = bytes.getLong(0);
        // QC-REF-08: narrow counts start at the least significant bit.
        return bits < 8 ? value >>> (bit % 8) & ((1 << bits) - 1) : value;
    }

    /** Returns where in the file a count stands, in bits, or -1 if it has no place. */
    private long countBit(long hostOffset) throws DiskException {
        long cluster = hostOffset >>> clusterBits;
        int blockBits = clusterBits + 3 - refcountOrder;
        long blockIndex = cluster >>> blockBits;
        long block = blockIndex < refcountTableEntries ? readLong(refcountTableOffset + blockIndex * 8) & -512L : 0;
        return block == 0 ? -1 : block * 8 + ((cluster & ((1L << blockBits) - 1)) << refcountOrder);
    }

    /** Turns a count from 0 to 1 or back; false if it has no place, or another value. */
    boolean setCount(HostFile writable, long hostOffset, int value) throws DiskException {
        long bit = countBit(hostOffset);
        if (bit < 0 || count(hostOffset) != 1 - value) {
            return false;
        }
        int bits = 1 << refcountOrder;
        long last = bit / 8 + Math.max(1, bits / 8) - 1;
        ByteBuffer bytes = ByteBuffer.allocate(1);
        file.readZeroPadded(last, bytes);
        bytes.put(0, (byte) (bytes.get(0) ^ 1 << (bits < 8 ? bit % 8 : 0)));
        writable.write(last, bytes.rewind());
        return true;
    }

    int l1Size() {
        return l1Size;
    }

    long l1Offset() {
        return l1Offset;
    }

    /** Returns which L2 table an L1 entry names, 0 for none. */
    long tableAt(long hostOffset) throws DiskException {
        return readLong(hostOffset) & OFFSET_MASK;
    }

    long readLong(long hostOffset) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(8);
        file.readZeroPadded(hostOffset, bytes);
        return bytes.getLong(0);
    }
}
