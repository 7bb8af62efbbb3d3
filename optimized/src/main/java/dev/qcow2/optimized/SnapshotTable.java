package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_02;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_05;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_06;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_07;
import static dev.qcow2.spec.clause.SnapshotClause.QC_SNAP_05;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The snapshot table: entries follow each other, each padded to a multiple of 8 bytes (QC-SNAP-04). */
final class SnapshotTable {

    private static final int FIXED_BYTES = 40;
    private static final int EXTRA_BYTES = 16;

    /** What QEMU writes: the instruction count, too. */
    private static final int NEW_EXTRA_BYTES = EXTRA_BYTES + 8;

    private static final int MAX_EXTRA_BYTES = 1024;
    private static final long MAX_TABLE_BYTES = 64L << 20;

    /**
     * One entry.
     *
     * @param info what the guest's side sees
     * @param sized whether the entry says how long the disk was (QC-SNAP-12)
     * @param l1Offset where its L1 table is
     * @param l1Size entries of that
     * @param bytes the entry as it is in the file, with whatever we don't know (QC-SNAP-06)
     */
    record Entry(SnapshotInfo info, boolean sized, long l1Offset, long l1Size, ByteBuffer bytes) {

        /** Whether its L1 table can be where the entry says. */
        boolean isPlaced(long fileSize, int clusterBits) {
            return l1Size * 8 <= ImageHeader.MAX_L1_BYTES
                    && (l1Offset & ((1L << clusterBits) - 1)) == 0
                    && l1Offset > 0
                    && l1Offset <= fileSize - l1Size * 8;
        }

        /** Returns its L1 table, which is refused if it can't be where the entry says. */
        RootTable l1(HostFile host, ImageHeader header) throws DiskException {
            long at = header.snapshotsOffset();
            require(l1Size * 8 <= ImageHeader.MAX_L1_BYTES, host, QC_LIM_02, at, l1Size + " entries", "32 MiB");
            String found = RefcountStore.hex(l1Offset);
            boolean aligned = (l1Offset & ((1L << header.clusterBits()) - 1)) == 0;
            require(aligned, host, QC_SNAP_05, at, found, "a multiple of the cluster size");
            boolean inFile = l1Size == 0 || (l1Offset > 0 && l1Offset <= host.size() - l1Size * 8);
            require(inFile, host, QC_LIM_07, at, found, "inside the file");
            return new RootTable(host, l1Offset, (int) l1Size);
        }
    }

    private SnapshotTable() {}

    static List<Entry> read(HostFile host, ImageHeader header) throws DiskException {
        List<Entry> entries = new ArrayList<>();
        long fileSize = host.size();
        long at = header.snapshotsOffset();
        for (int i = 0; i < header.snapshotCount(); i++) {
            Entry entry = readEntry(host, header, at, fileSize);
            entries.add(entry);
            at += entry.bytes().capacity();
            require(at - header.snapshotsOffset() <= MAX_TABLE_BYTES, host, QC_LIM_05, at, "more", "at most 64 MiB");
        }
        return entries;
    }

    private static Entry readEntry(HostFile host, ImageHeader header, long at, long fileSize) throws DiskException {
        ByteBuffer fixed = ByteBuffer.allocate(FIXED_BYTES);
        require(at <= fileSize - FIXED_BYTES, host, QC_LIM_07, at, "the file's end", "a snapshot");
        host.readZeroPadded(at, fixed);
        long extra = fixed.getInt(36) & 0xffff_ffffL;
        require(extra <= MAX_EXTRA_BYTES, host, QC_LIM_05, at + 36, extra + " bytes", "at most 1024");
        int idBytes = fixed.getShort(12) & 0xffff;
        int nameBytes = fixed.getShort(14) & 0xffff;
        int length = FIXED_BYTES + (int) extra + idBytes + nameBytes;
        require(at <= fileSize - length, host, QC_LIM_07, at, "the file's end", "a snapshot of " + length + " bytes");
        ByteBuffer bytes = ByteBuffer.allocate((length + 7) & ~7);
        host.readZeroPadded(at, bytes);
        long l1Size = fixed.getInt(8) & 0xffff_ffffL;
        SnapshotInfo info = info(bytes, header, (int) extra, idBytes, nameBytes);
        require(info.diskSize() >= 0, host, QC_LIM_06, at + 48, "a negative disk size", "less than 2^63");
        // Where the L1 table is matters to those who use it: whoever reads the disk alone needs no snapshot.
        return new Entry(info, extra >= EXTRA_BYTES, fixed.getLong(0), l1Size, bytes);
    }

    private static SnapshotInfo info(ByteBuffer bytes, ImageHeader header, int extra, int idBytes, int nameBytes) {
        int idAt = FIXED_BYTES + extra;
        String id = text(bytes, idAt, idBytes);
        String name = text(bytes, idAt + idBytes, nameBytes);
        // QC-SNAP-09
        long vmState = extra >= 8 ? bytes.getLong(FIXED_BYTES) : bytes.getInt(32) & 0xffff_ffffL;
        long diskSize = extra >= EXTRA_BYTES ? bytes.getLong(FIXED_BYTES + 8) : header.size();
        return new SnapshotInfo(id, name, diskSize, vmState);
    }

    private static String text(ByteBuffer bytes, int at, int length) {
        return StandardCharsets.UTF_8.decode(bytes.slice(at, length)).toString();
    }

    static Entry newEntry(SnapshotInfo info, byte[] name, long l1Offset, int l1Size, long epochMillis) {
        byte[] id = info.id().getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate((FIXED_BYTES + NEW_EXTRA_BYTES + id.length + name.length + 7) & ~7);
        bytes.putLong(l1Offset).putInt(l1Size);
        bytes.putShort((short) id.length).putShort((short) name.length);
        bytes.putInt((int) (epochMillis / 1000)).putInt((int) (epochMillis % 1000) * 1_000_000);
        // QC-SNAP-09: the field of 32 bits is for readers that know no other.
        long vmState = info.vmStateSize();
        bytes.putLong(0).putInt(vmState >>> 32 == 0 ? (int) vmState : 0).putInt(NEW_EXTRA_BYTES);
        // QC-SNAP-07
        bytes.putLong(vmState).putLong(info.diskSize());
        // QC-SNAP-13: no machine, no instructions.
        bytes.putLong(0);
        bytes.put(id).put(name);
        return new Entry(info, true, l1Offset, l1Size, bytes);
    }

    /** The entry with all that version 3 demands of its extra data (QC-SNAP-07): what it did not say is said now. */
    static Entry completed(Entry entry) {
        ByteBuffer old = entry.bytes();
        int extra = old.getInt(36);
        if (extra >= EXTRA_BYTES) {
            return entry;
        }
        int names = (old.getShort(12) & 0xffff) + (old.getShort(14) & 0xffff);
        ByteBuffer bytes = ByteBuffer.allocate((FIXED_BYTES + EXTRA_BYTES + names + 7) & ~7);
        bytes.put(0, old, 0, FIXED_BYTES).putInt(36, EXTRA_BYTES);
        bytes.putLong(FIXED_BYTES, entry.info().vmStateSize());
        bytes.putLong(FIXED_BYTES + 8, entry.info().diskSize());
        bytes.put(FIXED_BYTES + EXTRA_BYTES, old, FIXED_BYTES + extra, names);
        return new Entry(entry.info(), true, entry.l1Offset(), entry.l1Size(), bytes);
    }

    /** The entries as a writer leaves them: complete, if the version demands that. */
    static List<Entry> asWritten(List<Entry> entries, int version) {
        return version < 3
                ? entries
                : entries.stream().map(SnapshotTable::completed).toList();
    }

    /** Entries that lack what version 3 demands of them. */
    static long incomplete(List<Entry> entries, int version) {
        return version < 3
                ? 0
                : entries.stream().filter(entry -> !entry.sized()).count();
    }

    static long bytes(List<Entry> entries) {
        return entries.stream().mapToLong(entry -> entry.bytes().capacity()).sum();
    }

    private static void require(boolean holds, HostFile host, Clause clause, long at, String found, String allowed)
            throws DiskException {
        if (!holds) {
            throw new MalformedImageException(host.name(), clause, at, found, allowed);
        }
    }
}
