package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.ByteBuffer;

/** The tables of a small closed image, with one L2 table and counts of 16 bits, for those who write them wrongly. */
record StoredTables(HostFile file, boolean extended) {

    long number(long at) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(8);
        file.readZeroPadded(at, bytes);
        return bytes.getLong(0);
    }

    void number(long at, long value) throws DiskException {
        file.write(at, ByteBuffer.allocate(8).putLong(0, value));
    }

    long entryAt(int guestCluster) throws DiskException {
        long l2 = MappingLayout.L1_OFFSET.inPlace(number(number(HeaderLayout.L1_TABLE_OFFSET.offset())));
        return l2 + (long) guestCluster * (extended ? 16 : 8);
    }

    /** Where the first snapshot keeps the entry of a guest cluster. */
    long snapshotEntryAt(int guestCluster) throws DiskException {
        long l1 = SnapshotLayout.L1_TABLE_OFFSET.offset() + number(HeaderLayout.SNAPSHOTS_OFFSET.offset());
        return MappingLayout.L1_OFFSET.inPlace(number(number(l1))) + 8L * guestCluster;
    }

    long host(int guestCluster) throws DiskException {
        return MappingLayout.L2_OFFSET.inPlace(number(entryAt(guestCluster)));
    }

    /** Adds to the 16-bit count of a host cluster. */
    void addToCount(long hostCluster, int difference) throws DiskException {
        ByteBuffer bits = ByteBuffer.allocate(4);
        file.readZeroPadded(HeaderLayout.CLUSTER_BITS.offset(), bits);
        long perBlock = 1L << (bits.getInt(0) - 1);
        long entry = number(HeaderLayout.REFCOUNT_TABLE_OFFSET.offset()) + hostCluster / perBlock * 8;
        long at = RefcountLayout.BLOCK_OFFSET.inPlace(number(entry)) + hostCluster % perBlock * 2;
        ByteBuffer count = ByteBuffer.allocate(2);
        file.readZeroPadded(at, count);
        count.putShort(0, (short) (count.getShort(0) + difference));
        file.write(at, count.rewind());
    }
}
