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

    private final HostFile file;
    private final int version;
    private final int clusterBits;
    private final long size;
    private final int l1Size;
    private final long l1Offset;
    private final long refcountTableOffset;
    private final long refcountTableEntries;
    private final int refcountOrder;

    /**
     * What is known of a cluster.
     *
     * @param state what its entry says
     * @param shared true if its host cluster or its L2 table is shared with a snapshot
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
     * Looks a cluster up.
     *
     * @param cluster its index
     * @return what the active tables say
     * @throws DiskException if the host fails
     */
    public View view(long cluster) throws DiskException {
        int tableBits = clusterBits - 3;
        long l1Index = cluster >>> tableBits;
        long table = l1Index < l1Size ? readLong(l1Offset + l1Index * 8) & OFFSET_MASK : 0;
        if (table == 0) {
            return new View(ClusterState.UNALLOCATED, false);
        }
        boolean tableShared = count(table) > 1;
        long entry = readLong(table + (cluster & ((1L << tableBits) - 1)) * 8);
        long host = entry & OFFSET_MASK;
        if ((entry & COMPRESSED) != 0) {
            return new View(ClusterState.NORMAL, true);
        }
        boolean zero = (entry & 1) != 0;
        if (host == 0) {
            return new View(zero ? ClusterState.ZERO_PLAIN : ClusterState.UNALLOCATED, tableShared);
        }
        ClusterState state = zero ? ClusterState.ZERO_ALLOCATED : ClusterState.NORMAL;
        return new View(state, tableShared || count(host) > 1);
    }

    private long count(long hostOffset) throws DiskException {
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
