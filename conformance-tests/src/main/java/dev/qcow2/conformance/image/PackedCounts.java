package dev.qcow2.conformance.image;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Says whether the counts of host clusters that hold compressed data have room for one more user of a tree. How much
 * compressed data shares a host cluster is left to who writes it (QC-CMP-07), so here two right images may differ: one has
 * room for a snapshot, and the other has not (QC-REF-11).
 *
 * <p>It trusts the image, which the auditor has judged before.
 */
public final class PackedCounts {

    private static final long COMPRESSED = 1L << 62;
    private static final long FLAGS = 3L << 62;
    private static final int SNAPSHOT_COUNT_AT = 60;
    private static final int SNAPSHOT_FIELDS = 40;
    private static final int SECTOR = 512;

    private final HostFile file;
    private final ImageInspector inspector;

    /**
     * Looks at an image.
     *
     * @param file the image, with all that was written to it
     * @throws DiskException if the host fails
     */
    public PackedCounts(HostFile file) throws DiskException {
        this.file = file;
        this.inspector = new ImageInspector(file);
    }

    /**
     * Says whether a snapshot would need more than a count can hold.
     *
     * @return true if compressed data of the active tables has no room for as many users again
     * @throws DiskException if the host fails
     */
    public boolean lackRoomForSnapshot() throws DiskException {
        return lacksRoom(active(), Set.of());
    }

    /**
     * Says whether to load some snapshot would need more than a count can hold.
     *
     * @return true if compressed data of a snapshot, as far as the active tables do not have it too, has no room
     * @throws DiskException if the host fails
     */
    public boolean lackRoomForLoad() throws DiskException {
        Set<Long> held = new HashSet<>(active());
        ByteBuffer header = read(SNAPSHOT_COUNT_AT, 12);
        long at = header.getLong(4);
        for (int i = header.getInt(0); i > 0; i--) {
            ByteBuffer fields = read(at, SNAPSHOT_FIELDS);
            if (lacksRoom(descriptors(fields.getLong(0), fields.getInt(8)), held)) {
                return true;
            }
            int names = Short.toUnsignedInt(fields.getShort(12)) + Short.toUnsignedInt(fields.getShort(14));
            at += (SNAPSHOT_FIELDS + fields.getInt(36) + names + 7L) & ~7L;
        }
        return false;
    }

    private ByteBuffer read(long at, int length) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        file.readZeroPadded(at, bytes);
        return bytes;
    }

    private List<Long> active() throws DiskException {
        return descriptors(inspector.l1Offset(), inspector.l1Size());
    }

    /** The entries of compressed clusters that an L1 table reaches. */
    private List<Long> descriptors(long l1Offset, int l1Size) throws DiskException {
        List<Long> found = new ArrayList<>();
        int step = inspector.extendedL2() ? 16 : 8;
        for (int i = 0; i < l1Size; i++) {
            long table = inspector.tableAt(l1Offset + i * 8L);
            if (table == 0) {
                continue;
            }
            ByteBuffer entries = read(table, 1 << inspector.clusterBits());
            for (int at = 0; at < entries.capacity(); at += step) {
                long entry = entries.getLong(at);
                if ((entry & COMPRESSED) != 0) {
                    found.add(entry & ~FLAGS);
                }
            }
        }
        return found;
    }

    private boolean lacksRoom(List<Long> wanted, Set<Long> held) throws DiskException {
        Map<Long, Long> users = new HashMap<>();
        // QC-L2-12: the wider the cluster, the fewer bits for the offset.
        int offsetBits = 62 - (inspector.clusterBits() - 8);
        for (long descriptor : wanted) {
            if (!held.contains(descriptor)) {
                long start = descriptor & ((1L << offsetBits) - 1);
                long end = (start & -SECTOR) + ((descriptor >>> offsetBits) + 1) * SECTOR;
                for (long host = start >>> inspector.clusterBits(); host << inspector.clusterBits() < end; host++) {
                    users.merge(host, 1L, Long::sum);
                }
            }
        }
        int bits = 1 << inspector.refcountOrder();
        long highest = -1L >>> (64 - bits);
        for (Map.Entry<Long, Long> user : users.entrySet()) {
            long count = inspector.count(user.getKey() << inspector.clusterBits());
            if (Long.compareUnsigned(count, highest - user.getValue()) > 0) {
                return true;
            }
        }
        return false;
    }
}
