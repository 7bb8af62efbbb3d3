package dev.qcow2.reference;

import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.SnapshotClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.SnapshotInfo;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/**
 * An entry of the snapshot table. Its bytes are kept as they are, so that nothing unknown is lost when the table is
 * rewritten (QC-SNAP-06).
 *
 * <pre>
 * offset size field               allowed                                            clause
 *      0    8 l1_table_offset     a multiple of the cluster size                     QC-SNAP-05
 *      8    4 l1_size             table up to 32 MiB                                 QC-LIM-02
 *     12    2 id_str_size         anything                                           QC-SNAP-08
 *     14    2 name_size           anything
 *     16    4 date_sec, date_nsec (4), vm_clock_nsec (8)
 *     32    4 vm_state_size       ignored if the extra data has a 64-bit one         QC-SNAP-09
 *     36    4 extra_data_size     up to 1024; in version 3 less than 16 is read, too QC-LIM-05, QC-SNAP-07
 *     40    8 vm_state_size_64    first of the extra data, if that is long enough    QC-SNAP-09
 *     48    8 disk_size           second, if that is long enough                     QC-SNAP-07
 *      -    - other extra data, id, name, padding to a multiple of 8                 QC-SNAP-04, QC-SNAP-06
 * </pre>
 *
 * @param bytes the whole entry with its padding
 */
record SnapshotEntry(ByteBuffer bytes) {

    static final int FIXED = 40;
    static final int HIGHEST_NAME_LENGTH = 65535;

    private static final int KNOWN_EXTRA = 16;

    /** As QEMU writes it: with the number of instructions that a guest without a machine has run, which is 0 (QC-SNAP-13). */
    private static final int NEW_EXTRA = 24;

    private static final int HIGHEST_EXTRA = 1024;
    private static final long HIGHEST_L1_ENTRIES = (32 << 20) / Geometry.ENTRY_BYTES;

    /** Decodes the entry that stands at a host offset of the image. */
    static SnapshotEntry parse(Image image, long at) throws DiskException {
        requireInFile(image, at, FIXED);
        ByteBuffer fixed = image.read(at, FIXED);
        int extra = fixed.getInt(36);
        if (extra < 0 || extra > HIGHEST_EXTRA) {
            throw image.corrupt(LimitClause.QC_LIM_05, at + 36, extra, "up to 1024 bytes of extra data");
        }
        int length = FIXED + extra + (fixed.getShort(12) & 0xffff) + (fixed.getShort(14) & 0xffff);
        requireInFile(image, at, length);
        SnapshotEntry entry = new SnapshotEntry(image.read(at, padded(length)));
        SnapshotInfo info = entry.info(0);
        if (info.diskSize() < 0 || info.vmStateSize() < 0) {
            throw image.corrupt(LimitClause.QC_LIM_06, at + 40, info.toString(), "sizes below 2^63");
        }
        return entry;
    }

    private static void requireInFile(Image image, long at, int length) throws DiskException {
        if (at > image.file().size() - length) {
            throw image.corrupt(LimitClause.QC_LIM_07, at, "the end of the file", "a snapshot table entry");
        }
    }

    /** Makes an entry: the L1 table that the snapshot has, and what its user wants to know. */
    static SnapshotEntry of(long l1Offset, int l1Size, SnapshotInfo info, Instant now) {
        byte[] idBytes = info.id().getBytes(StandardCharsets.UTF_8);
        byte[] nameBytes = info.name().getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(padded(FIXED + NEW_EXTRA + idBytes.length + nameBytes.length));
        bytes.putLong(l1Offset).putInt(l1Size).putShort((short) idBytes.length).putShort((short) nameBytes.length);
        bytes.putInt((int) now.getEpochSecond()).putInt(now.getNano());
        // A reader that does not know the 64-bit size takes a state that is too long for none at all.
        boolean small = info.vmStateSize() < 1L << Integer.SIZE;
        bytes.putInt(32, small ? (int) info.vmStateSize() : 0).putInt(36, NEW_EXTRA);
        bytes.putLong(40, info.vmStateSize()).putLong(48, info.diskSize());
        return new SnapshotEntry(
                bytes.position(FIXED + NEW_EXTRA).put(idBytes).put(nameBytes).clear());
    }

    /** The entry with the extra data that version 3 demands; what it has is kept (QC-SNAP-07). */
    SnapshotEntry withSizes(long diskSize) {
        int extra = bytes.getInt(36);
        if (isComplete()) {
            return this;
        }
        int names = (bytes.getShort(12) & 0xffff) + (bytes.getShort(14) & 0xffff);
        ByteBuffer longer = ByteBuffer.allocate(padded(FIXED + KNOWN_EXTRA + names));
        longer.put(0, bytes, 0, FIXED).put(FIXED + KNOWN_EXTRA, bytes, FIXED + extra, names);
        long vmStateSize = extra >= 8 ? bytes.getLong(FIXED) : Integer.toUnsignedLong(bytes.getInt(32));
        longer.putInt(36, KNOWN_EXTRA).putLong(FIXED, vmStateSize).putLong(FIXED + 8, diskSize);
        return new SnapshotEntry(longer);
    }

    /** Whether the entry has all that version 3 demands (QC-SNAP-07). */
    boolean isComplete() {
        return bytes.getInt(36) >= KNOWN_EXTRA;
    }

    /** QC-SNAP-04. */
    private static int padded(int length) {
        return (length + 7) / 8 * 8;
    }

    int length() {
        return bytes.limit();
    }

    long l1Offset() {
        return bytes.getLong(0);
    }

    int l1Size() {
        return bytes.getInt(8);
    }

    String id() {
        return text(FIXED + bytes.getInt(36), bytes.getShort(12) & 0xffff);
    }

    private String name() {
        return text(FIXED + bytes.getInt(36) + (bytes.getShort(12) & 0xffff), bytes.getShort(14) & 0xffff);
    }

    private String text(int at, int length) {
        return StandardCharsets.UTF_8.decode(bytes.slice(at, length)).toString();
    }

    /** What a user wants to know; a version 2 entry need not say its disk size, which is the image's then. */
    SnapshotInfo info(long sizeOfDisk) {
        int extra = bytes.getInt(36);
        // QC-SNAP-09: the 64-bit size counts where it is present.
        long vmStateSize = extra >= 8 ? bytes.getLong(40) : Integer.toUnsignedLong(bytes.getInt(32));
        return new SnapshotInfo(id(), name(), extra >= KNOWN_EXTRA ? bytes.getLong(48) : sizeOfDisk, vmStateSize);
    }

    /** Refuses an L1 table that can't be there, before it is read. */
    void requireL1Table(Image image) throws DiskException {
        if (l1Size() < 0 || l1Size() > HIGHEST_L1_ENTRIES) {
            throw image.corrupt(LimitClause.QC_LIM_02, image.header().snapshotsOffset(), l1Size(), "up to 32 MiB");
        }
        long needed = image.geometry().withDiskSize(info(0).diskSize()).l1EntriesNeeded();
        if (needed > HIGHEST_L1_ENTRIES) {
            throw image.corrupt(
                    LimitClause.QC_LIM_02, image.header().snapshotsOffset(), info(0).toString(), "a smaller disk");
        }
        if (l1Size() > 0) {
            image.requireClusterStart(
                    l1Offset(),
                    SnapshotClause.QC_SNAP_05,
                    LimitClause.QC_LIM_07,
                    image.header().snapshotsOffset());
        }
    }
}
