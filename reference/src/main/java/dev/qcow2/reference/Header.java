package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.MalformedImageException;
import java.nio.ByteBuffer;

/**
 * The header. All numbers have their most significant byte first (QC-HDR-03).
 *
 * <pre>
 * offset size field                     allowed                            clause
 *      0    4 magic                     "QFI\xfb"                          QC-HDR-01
 *      4    4 version                   2, 3                               QC-HDR-02
 *      8    8 backing_file_offset       0, or behind the extensions        QC-HDR-04, QC-EXT-08
 *     16    4 backing_file_size         up to 1023                         QC-HDR-05
 *     20    4 cluster_bits              9 to 21                            QC-HDR-06, QC-LIM-01
 *     24    8 size                      below 2^63                         QC-HDR-07, QC-LIM-06
 *     32    4 crypt_method              0; 1 and 2 are not supported       QC-HDR-08
 *     36    4 l1_size                   table up to 32 MiB                 QC-HDR-09, QC-LIM-02
 *     40    8 l1_table_offset           a multiple of the cluster size     QC-HDR-09
 *     48    8 refcount_table_offset     a multiple of the cluster size     QC-HDR-10
 *     56    4 refcount_table_clusters   1 or more, table up to 8 MiB       QC-HDR-11, QC-LIM-03
 *     60    4 nb_snapshots              up to 65536                        QC-LIM-05
 *     64    8 snapshots_offset          a multiple of the cluster size     QC-HDR-12
 *            version 2 ends here (QC-HDR-13); what follows counts as 0, refcount_order as 4
 *     72    8 incompatible_features     see {@link FeatureBits}            QC-HDR-15
 *     80    8 compatible_features       anything                           QC-HDR-21
 *     88    8 autoclear_features        anything                           QC-HDR-23
 *     96    4 refcount_order            0 to 6                             QC-HDR-24
 *    100    4 header_length             104 or more, a multiple of 8       QC-HDR-14
 *    104    1 compression_type          present if header_length &gt; 104     QC-HDR-26, QC-HDR-28
 * </pre>
 */
record Header(
        int version,
        long backingNameOffset,
        int backingNameLength,
        int clusterBits,
        long diskSize,
        int cryptMethod,
        int l1Size,
        long l1Offset,
        long refcountTableOffset,
        int refcountTableClusters,
        int snapshotCount,
        long snapshotsOffset,
        long incompatible,
        long compatible,
        long autoclear,
        int refcountOrder,
        int length,
        int compressionType) {

    static final int MAGIC = 0x514649fb;
    static final int VERSION_2_LENGTH = 72;
    static final int VERSION_3_LENGTH = 104;
    /** With compression_type and its padding: what new images get, and the most that is decoded. */
    static final int KNOWN_LENGTH = 112;

    static final int CLUSTER_BITS_FIELD = 20;
    static final int SIZE_FIELD = 24;
    static final int L1_FIELDS = 36;
    static final int REFCOUNT_TABLE_FIELDS = 48;
    static final int SNAPSHOT_FIELDS = 60;
    static final int INCOMPATIBLE_FIELD = 72;
    static final int AUTOCLEAR_FIELD = 88;
    static final int ORDER_FIELD = 96;

    private static final int HIGHEST_NAME_LENGTH = 1023;
    static final long HIGHEST_L1_BYTES = 32 << 20;
    private static final long HIGHEST_REFCOUNT_TABLE_BYTES = 8 << 20;
    private static final int HIGHEST_SNAPSHOT_COUNT = 65536;

    /**
     * Decodes a header and checks each field by itself; {@link #requireTables} checks them against the file.
     *
     * @param bytes the first bytes of the file, up to {@link #KNOWN_LENGTH}; fewer if the file is shorter
     */
    static Header parse(String fileName, ByteBuffer bytes) throws MalformedImageException {
        Check check = new Check(fileName);
        int present = bytes.limit();
        int magic = present < 4 ? 0 : bytes.getInt(0);
        check.that(magic == MAGIC, HeaderClause.QC_HDR_01, 0, Integer.toUnsignedLong(magic), "QFI\\xfb");
        check.that(present >= VERSION_2_LENGTH, HeaderClause.QC_HDR_13, 0, present, "72 bytes or more");
        int version = bytes.getInt(4);
        check.that(version == 2 || version == 3, HeaderClause.QC_HDR_02, 4, version, "2, 3");
        // QC-HDR-13: version 2 ends after 72 bytes, whatever follows there.
        boolean more = version > 2;
        check.that(!more || present >= VERSION_3_LENGTH, HeaderClause.QC_HDR_14, 0, present, "104 bytes or more");
        int length = more ? bytes.getInt(100) : VERSION_2_LENGTH;
        boolean lengthFits = !more || (length >= VERSION_3_LENGTH && length % 8 == 0);
        check.that(lengthFits, HeaderClause.QC_HDR_14, 100, length, "104 or more, a multiple of 8");
        // QC-HDR-26: a field at or beyond header_length is absent, and that means zero.
        boolean hasCompressionType = length > VERSION_3_LENGTH && present > VERSION_3_LENGTH;
        Header header = new Header(
                version,
                bytes.getLong(8),
                bytes.getInt(16),
                bytes.getInt(20),
                bytes.getLong(24),
                bytes.getInt(32),
                bytes.getInt(36),
                bytes.getLong(40),
                bytes.getLong(48),
                bytes.getInt(56),
                bytes.getInt(60),
                bytes.getLong(64),
                more ? bytes.getLong(72) : 0,
                more ? bytes.getLong(80) : 0,
                more ? bytes.getLong(88) : 0,
                more ? bytes.getInt(96) : 4,
                length,
                hasCompressionType ? bytes.get(104) & 0xff : 0);
        header.requireFields(check);
        return header;
    }

    private void requireFields(Check check) throws MalformedImageException {
        check.that(clusterBits >= 9, HeaderClause.QC_HDR_06, 20, clusterBits, "9 to 21");
        check.that(clusterBits <= 21, LimitClause.QC_LIM_01, 20, clusterBits, "9 to 21");
        int clusterSize = 1 << clusterBits;
        check.that(length <= clusterSize, HeaderClause.QC_HDR_14, 100, length, "up to the cluster size");
        check.that(cryptMethod >= 0 && cryptMethod <= 2, HeaderClause.QC_HDR_08, 32, cryptMethod, "0, 1, 2");
        check.that(diskSize >= 0, LimitClause.QC_LIM_06, 24, diskSize, "below 2^63");
        boolean orderFits = refcountOrder >= 0 && refcountOrder <= 6;
        check.that(orderFits, HeaderClause.QC_HDR_24, 96, refcountOrder, "0 to 6");
        if (backingNameOffset != 0) {
            boolean nameFits = backingNameLength >= 0 && backingNameLength <= HIGHEST_NAME_LENGTH;
            check.that(nameFits, HeaderClause.QC_HDR_05, 16, backingNameLength, "up to 1023");
            boolean inFirst = backingNameOffset >= length && backingNameOffset <= clusterSize - backingNameLength;
            String allowed = "behind the header, with the whole name in the first cluster";
            check.that(inFirst, ExtensionClause.QC_EXT_08, 8, backingNameOffset, allowed);
        }
    }

    /** Checks that the tables can be there at all, before anything is read from them or allocated for them. */
    void requireTables(String fileName, long fileSize) throws MalformedImageException {
        Check check = new Check(fileName);
        long l1Bytes = Integer.toUnsignedLong(l1Size) * Geometry.ENTRY_BYTES;
        check.that(l1Bytes <= HIGHEST_L1_BYTES, LimitClause.QC_LIM_02, 36, l1Size, "up to 4194304 entries");
        long neededBytes = geometry().l1EntriesNeeded() * Geometry.ENTRY_BYTES;
        String allowedDisk = "a disk whose L1 table has up to 32 MiB";
        check.that(neededBytes <= HIGHEST_L1_BYTES, LimitClause.QC_LIM_02, 24, diskSize, allowedDisk);
        long tableBytes = Integer.toUnsignedLong(refcountTableClusters) << clusterBits;
        check.that(tableBytes > 0, HeaderClause.QC_HDR_11, 56, 0, "1 or more clusters");
        boolean tableFits = tableBytes <= HIGHEST_REFCOUNT_TABLE_BYTES;
        check.that(tableFits, LimitClause.QC_LIM_03, 56, refcountTableClusters, "up to 8 MiB");
        boolean countFits = snapshotCount >= 0 && snapshotCount <= HIGHEST_SNAPSHOT_COUNT;
        check.that(countFits, LimitClause.QC_LIM_05, 60, snapshotCount, "up to 65536");
        requirePlace(check, HeaderClause.QC_HDR_10, 48, refcountTableOffset, fileSize - tableBytes);
        if (l1Size != 0) {
            requirePlace(check, HeaderClause.QC_HDR_09, 40, l1Offset, fileSize - l1Bytes);
            boolean apart = !inL1Table(refcountTableOffset) && !inRefcountTable(l1Offset);
            check.that(apart, LimitClause.QC_LIM_08, 40, l1Offset, "clusters apart from the refcount table");
        }
        if (snapshotCount != 0) {
            // How long the snapshot table is shows only when it is read.
            requirePlace(check, HeaderClause.QC_HDR_12, 64, snapshotsOffset, fileSize - 1);
            boolean apart = !inL1Table(snapshotsOffset) && !inRefcountTable(snapshotsOffset);
            check.that(apart, LimitClause.QC_LIM_08, 64, snapshotsOffset, "clusters apart from the other tables");
        }
    }

    private void requirePlace(Check check, Clause aligned, int field, long offset, long latest)
            throws MalformedImageException {
        check.that(geometry().offsetInCluster(offset) == 0, aligned, field, offset, "a multiple of the cluster size");
        check.that(offset != 0, LimitClause.QC_LIM_08, field, offset, "a cluster behind the header's");
        check.that(offset > 0 && offset <= latest, LimitClause.QC_LIM_07, field, offset, "up to " + latest);
    }

    Header withDiskSize(long size) {
        return new Header(
                version,
                backingNameOffset,
                backingNameLength,
                clusterBits,
                size,
                cryptMethod,
                l1Size,
                l1Offset,
                refcountTableOffset,
                refcountTableClusters,
                snapshotCount,
                snapshotsOffset,
                incompatible,
                compatible,
                autoclear,
                refcountOrder,
                length,
                compressionType);
    }

    Geometry geometry() {
        return new Geometry(clusterBits, refcountOrder, diskSize, (incompatible & FeatureBits.EXTENDED_L2) != 0);
    }

    /** Whether a host offset lies in a cluster of the active L1 table. */
    boolean inL1Table(long hostOffset) {
        long clusters = geometry().clustersFor((long) l1Size * Geometry.ENTRY_BYTES);
        return hostOffset >= l1Offset && hostOffset - l1Offset < clusters << clusterBits;
    }

    /** Whether a host offset lies in a cluster of the refcount table. */
    boolean inRefcountTable(long hostOffset) {
        return hostOffset >= refcountTableOffset
                && hostOffset - refcountTableOffset < (long) refcountTableClusters << clusterBits;
    }

    int refcountTableEntries() {
        return (refcountTableClusters << clusterBits) / Geometry.ENTRY_BYTES;
    }

    /** Encodes the header of a new image. */
    ByteBuffer encode() {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        bytes.putInt(MAGIC).putInt(version).putLong(backingNameOffset).putInt(backingNameLength);
        bytes.putInt(clusterBits)
                .putLong(diskSize)
                .putInt(cryptMethod)
                .putInt(l1Size)
                .putLong(l1Offset);
        bytes.putLong(refcountTableOffset).putInt(refcountTableClusters);
        bytes.putInt(snapshotCount).putLong(snapshotsOffset);
        if (version > 2) {
            bytes.putLong(incompatible).putLong(compatible).putLong(autoclear);
            bytes.putInt(refcountOrder).putInt(length).put((byte) compressionType);
        }
        // QC-HDR-27: the padding behind compression_type stays zero.
        return bytes.clear();
    }

    /** Says what is wrong with which field of which file; numbers of the format have no sign. */
    private record Check(String fileName) {

        void that(boolean holds, Clause clause, int field, long found, String allowed) throws MalformedImageException {
            if (!holds) {
                throw new MalformedImageException(fileName, clause, field, Long.toUnsignedString(found), allowed);
            }
        }

        void that(boolean holds, Clause clause, int field, int found, String allowed) throws MalformedImageException {
            that(holds, clause, field, Integer.toUnsignedLong(found), allowed);
        }
    }
}
