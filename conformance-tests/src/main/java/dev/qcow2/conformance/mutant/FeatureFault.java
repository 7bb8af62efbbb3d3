package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CompressionClause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.clause.SnapshotClause;
import dev.qcow2.spec.clause.SubclusterClause;

/** The ways in which {@link FeatureFaultDriver} errs: as {@link Fault}, for what an image may have beside the plain format. */
public enum FeatureFault {
    COMPRESSED_SIZE_IN_FIXED_BITS(
            Form.COMPRESSED,
            MappingClause.QC_L2_12,
            "The number of sectors stands where it belongs with clusters of 64 KiB, whatever the cluster size.",
            "containerd/overlaybd#407"),
    COMPRESSED_WITH_COPIED(
            Form.COMPRESSED, MappingClause.QC_L2_03, "A compressed entry carries COPIED.", "PEERS, compressed"),
    COMPRESSED_SHARER_NOT_COUNTED(
            Form.COMPRESSED,
            CompressionClause.QC_CMP_08,
            "The host cluster in which compressed data ends is not counted for it: it may hold others already.",
            "PEERS, compressed"),
    COMPRESSED_SNAPSHOT_MISCOUNTED(
            Form.COMPRESSED,
            SnapshotClause.QC_SNAP_01,
            "Where compressed data goes on into a second host cluster a snapshot raises the first count only.",
            "PEERS, compressed"),
    COMPRESSED_PARTIAL_WRITE_LOSES_REST(
            Form.COMPRESSED,
            CompressionClause.QC_CMP_09,
            "A write into a compressed cluster makes a cluster with the new bytes and zeros.",
            "copies that know standard clusters only"),
    COMPRESSED_RELEASE_FREES_HOST(
            Form.COMPRESSED,
            CompressionClause.QC_CMP_08,
            "Releasing one compressed cluster takes the host cluster from all its neighbours.",
            "a release that knows one owner"),
    COMPRESSED_NOT_RELEASED(
            Form.COMPRESSED,
            RefcountClause.QC_REF_03,
            "Overwriting a compressed cluster leaves the count of its host cluster up.",
            "a lost release"),
    COMPRESSION_TYPE_LOST(
            Form.COMPRESSED,
            HeaderClause.QC_HDR_28,
            "A rewritten header ends before the compression type.",
            "cloud-hypervisor#8558"),
    SUBCLUSTER_ZERO_BIT_IGNORED(
            Form.SUBCLUSTERS, SubclusterClause.QC_SUB_04, "Zero bits are not written.", "PEERS, zero clusters"),
    SUBCLUSTER_BOTH_BITS(
            Form.SUBCLUSTERS,
            SubclusterClause.QC_SUB_06,
            "Write zeroes sets the zero bit and keeps the allocation bit.",
            "QC-SUB-06 broken"),
    SUBCLUSTER_NOT_COPIED_UP(
            Form.SUBCLUSTERS,
            SubclusterClause.QC_SUB_11,
            "The rest of a subcluster is filled with zeros though the backing file has data.",
            "writers that were tested without a backing file"),
    SUBCLUSTER_WRITE_MARKS_ALL(
            Form.SUBCLUSTERS,
            SubclusterClause.QC_SUB_03,
            "A write into one subcluster marks all of them as allocated.",
            "writers that know whole clusters only"),
    SUBCLUSTER_ZERO_TAKES_ALL(
            Form.SUBCLUSTERS,
            SubclusterClause.QC_SUB_04,
            "Zeroing some subclusters zeroes the whole cluster.",
            "writers that know whole clusters only"),
    SUBCLUSTER_BITMAP_KEPT_ON_DISCARD(
            Form.SUBCLUSTERS,
            SubclusterClause.QC_SUB_07,
            "A discard takes the host cluster and keeps allocation bits.",
            "QC-SUB-07 broken"),
    SUBCLUSTER_ZERO_IN_BIT_0(
            Form.SUBCLUSTERS,
            SubclusterClause.QC_SUB_09,
            "A zero cluster has bit 0 of the entry, as without subclusters.",
            "QC-SUB-09 broken"),
    DATA_FILE_OFFSET_0_UNALLOCATED(
            Form.DATA_FILE,
            DataFileClause.QC_DATA_02,
            "Host offset 0 is taken for unallocated, so the first cluster reads as zeros.",
            "PEERS, data file"),
    DATA_FILE_NOT_ZEROED(
            Form.DATA_FILE,
            DataFileClause.QC_DATA_09,
            "Write zeroes changes entries and leaves the bytes of a raw file.",
            "PEERS, data file"),
    DATA_CLUSTERS_COUNTED(
            Form.DATA_FILE,
            DataFileClause.QC_DATA_03,
            "Clusters of the data file are counted in the image.",
            "QC-DATA-03 broken"),
    DATA_FILE_OPENED_UNASKED(
            Form.DATA_FILE,
            DataFileClause.QC_DATA_08,
            "The data file is opened though the policy refuses it.",
            "CVE-2024-32498"),
    CRYPT_SURROUNDINGS_ZEROED_IN_CLEAR(
            Form.ENCRYPTED,
            CryptClause.QC_CRY_01,
            "What surrounds a first write is zeroed on the host and not encrypted.",
            "QC-CRY-01 broken"),
    CRYPT_COPY_UP_IN_CLEAR(
            Form.ENCRYPTED,
            CryptClause.QC_CRY_16,
            "What is copied up from the backing file is not encrypted.",
            "QC-CRY-16 broken"),
    BITMAP_NOT_FOLLOWED(
            Form.BITMAPS,
            BitmapClause.QC_BM_19,
            "Writes leave an enabled bitmap as it is, and it stays enabled.",
            "PEERS, bitmaps"),
    BITMAP_ROUNDED_INWARDS(
            Form.BITMAPS,
            BitmapClause.QC_BM_10,
            "A write makes dirty only those ranges of a bit that it covers as a whole.",
            "QC-BM-19 broken"),
    BITMAP_FORGETS_DISCARD(
            Form.BITMAPS, BitmapClause.QC_BM_19, "A discard is not recorded in a bitmap.", "QC-BM-19 broken"),
    GROWTH_SHOWS_BACKING(
            Form.RESIZED,
            MaintenanceClause.QC_MNT_01,
            "Clusters that a resize adds are left unallocated before a longer backing file.",
            "cloud-hypervisor#7678"),
    SHRINK_DOES_NOT_RELEASE(
            Form.RESIZED,
            RefcountClause.QC_REF_03,
            "A shrinking disk drops entries and leaves their clusters counted.",
            "a lost release"),
    REGROWTH_SHOWS_OLD_BYTES(
            Form.RESIZED,
            MaintenanceClause.QC_MNT_02,
            "A smaller disk keeps what lies behind its end, and shows it when it grows again.",
            "QC-MNT-02 broken"),
    VM_STATE_LOST_ON_APPLY(
            Form.VM_STATE,
            SnapshotClause.QC_SNAP_22,
            "Loading a snapshot brings the disk back and not the machine's state.",
            "QC-SNAP-22 broken"),
    AMEND_LEAVES_SNAPSHOT_ZEROS(
            Form.AMENDED,
            MappingClause.QC_L2_08,
            "On the way to version 2 the disk's zero clusters go, and those that only a snapshot has stay.",
            "loops over the active L1 table"),
    AMEND_SHOWS_BACKING(
            Form.AMENDED,
            MaintenanceClause.QC_MNT_31,
            "On the way to version 2 a snapshot's zero clusters become unallocated before a backing file.",
            "QC-MNT-31 broken"),
    AMEND_COUNTS_SHARER_ONCE(
            Form.AMENDED,
            SnapshotClause.QC_SNAP_01,
            "The zeros that take a zero cluster's place in a shared L2 table are counted once.",
            "counts by table"),
    AMEND_FILLS_WHAT_IS_SHOWN(
            Form.AMENDED,
            MaintenanceClause.QC_MNT_31,
            "The host cluster that a zero cluster keeps gets the zeros, though a snapshot shows it.",
            "qemu-img amend of QEMU 7.2");

    /** What is special about the image. */
    public enum Form {
        /** Compressed with zstandard. */
        COMPRESSED,
        /** Extended L2 entries. */
        SUBCLUSTERS,
        /** A raw data file. */
        DATA_FILE,
        /** LUKS. */
        ENCRYPTED,
        /** A persistent bitmap. */
        BITMAPS,
        /** The disk's size changes. */
        RESIZED,
        /** Snapshots with machine state. */
        VM_STATE,
        /** It becomes version 2, with zero clusters in its snapshots. */
        AMENDED
    }

    private final Form form;
    private final Clause clause;
    private final String story;
    private final String resembles;

    FeatureFault(Form form, Clause clause, String story, String resembles) {
        this.form = form;
        this.clause = clause;
        this.story = story;
        this.resembles = resembles;
    }

    /**
     * Returns which images it shows in.
     *
     * @return a form
     */
    public Form form() {
        return form;
    }

    /**
     * Returns the rule that is broken.
     *
     * @return a clause
     */
    public Clause clause() {
        return clause;
    }

    /**
     * Tells what goes wrong.
     *
     * @return a sentence
     */
    public String story() {
        return story;
    }

    /**
     * Tells where the like has been seen.
     *
     * @return a few words
     */
    public String resembles() {
        return resembles;
    }
}
