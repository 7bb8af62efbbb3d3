package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.BackingClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.GuestClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.clause.SnapshotClause;

/**
 * The ways in which {@link MutantDriver} can be wrong. Each stands at the one line where a real
 * author would err, names the rule that it breaks, and tells what goes wrong and where the like has been
 * seen.
 */
public enum Fault {
    // Copy on write.
    SKIP_THOUGH_BACKING_HAS_DATA(
            MappingClause.QC_L2_11,
            "An allocating write takes every unallocated cluster for zeros and copies nothing.",
            "a skip decision that asks the image and forgets the chain"),
    SKIP_THOUGH_ONLY_HEAD_IS_ZERO(
            MappingClause.QC_L2_11,
            "The skip decision looks at the bytes before the write and not at those behind it.",
            "a skip decision that was tested with writes to the end of a cluster"),
    BACKING_NOT_COPIED_UP(
            MappingClause.QC_L2_11,
            "The copy of an unallocated cluster is filled with zeros instead of the backing data.",
            "writers that were tested without a backing file"),
    SHARED_CLUSTER_OVERWRITTEN(
            RefcountClause.QC_REF_02,
            "A write goes straight into a data cluster that a snapshot shares.",
            "writers that never look at the COPIED flag"),
    SHARED_PARTIAL_WRITE_LOSES_REST(
            MappingClause.QC_L2_11,
            "The copy of a shared cluster holds only the new bytes.",
            "copies that were tested with whole clusters"),
    SHARED_L2_TABLE_OVERWRITTEN(
            MappingClause.QC_L1_05,
            "An entry changes in an L2 table that a snapshot shares.",
            "copy on write for data and not for tables"),
    FRESH_NOT_ZEROED(
            GuestClause.QC_GUEST_11,
            "A write copies nothing around it, and the fresh cluster is not made to read as zero.",
            "a skip that trusts the host to hand out zeros"),
    SHARED_NOT_RELEASED(
            RefcountClause.QC_REF_03,
            "The count of a shared cluster stays up when one of its users gets a copy.",
            "a release that frees or does nothing"),
    // Zero clusters.
    SHARED_KEPT_AS_OWN_ZERO(
            MappingClause.QC_L2_03,
            "Zeroes that keep the host cluster take a shared one for their own.",
            "writers that never look at the COPIED flag"),
    ZERO_ALLOCATED_REUSED_STALE(
            GuestClause.QC_GUEST_11,
            "A write into a zero cluster keeps its host cluster and the old bytes around the new ones.",
            "the period of void-linux/void-packages#16138"),
    ZERO_ALLOCATED_READS_STALE(
            MappingClause.QC_L2_09,
            "A zero cluster with a host cluster reads the host's bytes.",
            "cloud-hypervisor#7627"),
    ZERO_PLAIN_READS_HEADER(
            MappingClause.QC_L2_07,
            "A zero cluster without a host cluster is read at host offset 0, where the header is.",
            "libyal/libqcow#17, lima-vm/go-qcow2reader#40"),
    ZERO_FALLS_THROUGH_TO_BACKING(
            MappingClause.QC_L2_07, "A zero cluster reads what the backing file holds.", "cloud-hypervisor#8245"),
    ZERO_PARTIAL_WRITE_TAKES_BACKING(
            MappingClause.QC_L2_11,
            "A partial write into a zero cluster takes the rest from the backing file.",
            "pcbastler/qcow2-lib 19dc1a9"),
    ZERO_FLAG_IN_VERSION_2(
            MappingClause.QC_L2_08,
            "Write zeroes sets bit 0 of an entry in a version 2 image.",
            "PEERS, zero clusters"),
    ZERO_UNMAP_LEAKS(
            RefcountClause.QC_REF_03,
            "Write zeroes that may unmap forgets to release the host cluster.",
            "a lost release"),
    LAST_CLUSTER_ZEROED_TOO_FAR(
            GuestClause.QC_GUEST_03,
            "In the disk's last, partial cluster write zeroes takes a part for the whole.",
            "rounding that treats the end of the disk as the end of the request"),
    // Discard.
    DISCARD_FREES_TOO_MUCH(
            GuestClause.QC_GUEST_05, "Discard rounds its range outwards to whole clusters.", "mirage/ocaml-qcow#39"),
    DISCARD_EXPOSES_BACKING(
            GuestClause.QC_GUEST_04,
            "Discard makes a cluster unallocated although a backing file lies behind.",
            "hidden data comes back"),
    PUNCH_AFTER_REUSE(
            RefcountClause.QC_REF_01,
            "The hole of a freed cluster is punched at the next flush, when the cluster may be in use again.",
            "cloud-hypervisor#8624"),
    FREED_TWICE(
            RefcountClause.QC_REF_03,
            "A freed cluster stays on the list of clusters to free and loses its new owner's count at the next flush.",
            "cloud-hypervisor#8606, docker/for-mac#1315"),
    // Refcounts and allocation.
    REFCOUNT_NOT_RAISED(
            RefcountClause.QC_REF_03, "A new data cluster is handed out without being counted.", "docker/for-mac#1315"),
    L2_TABLE_HANDED_OUT_AGAIN(
            RefcountClause.QC_REF_16, "A live L2 table is free for the allocator.", "cloud-hypervisor#8606, a5e145bde"),
    TABLE_PUBLISHED_BEFORE_COUNTED(
            RefcountClause.QC_REF_16,
            "The L1 entry names a new L2 table whose count is raised only after the next allocation.",
            "cloud-hypervisor#8748"),
    NEW_REFCOUNT_BLOCK_NOT_COUNTED(
            RefcountClause.QC_REF_10, "A new refcount block does not count itself.", "OpenBSD tech list, 2026-06-14"),
    REFCOUNTS_BY_GUEST_CLUSTER(
            RefcountClause.QC_REF_09, "Counts are indexed by the guest's cluster.", "PEERS, refcounts and allocation"),
    REFCOUNT_WIDTH_1_AS_8(
            RefcountClause.QC_REF_07,
            "One-bit counts are read and written as bytes.",
            "writers that know whole bytes only"),
    SUB_BYTE_REFCOUNTS_REVERSED(
            RefcountClause.QC_REF_08,
            "Counts narrower than a byte start at the most significant bit.",
            "PEERS, refcounts and allocation"),
    REFCOUNT_TABLE_ENTRY_WITH_COPIED(
            RefcountClause.QC_REF_05, "A refcount table entry carries the COPIED flag.", "open-iscsi/tcmu-runner#223"),
    GROWN_REFCOUNT_TABLE_LOSES_LAST(
            RefcountClause.QC_REF_12,
            "A grown refcount table lacks the old table's last entry.",
            "cloud-hypervisor#5034"),
    OLD_REFCOUNT_TABLE_LEAKED(
            RefcountClause.QC_REF_12, "The old refcount table stays allocated after growth.", "cloud-hypervisor#8597"),
    REFCOUNT_WRAPS(
            RefcountClause.QC_REF_11,
            "A count that is full wraps around when a snapshot is taken.",
            "CVE-2014-0143 and its like"),
    // L1 and L2 tables.
    L2_INDEX_OFF_BY_ONE(
            MappingClause.QC_L2_01,
            "The last entry of an L2 table is taken for the one before it.",
            "a loop to entries - 1"),
    NEW_L2_TABLE_NOT_CLEARED(
            MappingClause.QC_L2_06, "A new L2 table shows what its cluster held before.", "tables in reused clusters"),
    COPIED_NEVER_IN_L1(MappingClause.QC_L1_03, "L1 entries never carry COPIED.", "cloud-hypervisor#7526"),
    ENTRY_LOSES_COPIED(
            MappingClause.QC_L2_03, "A fresh data cluster is linked without COPIED.", "the same one level down"),
    // Snapshots.
    COPIED_KEPT_AFTER_SNAPSHOT(
            SnapshotClause.QC_SNAP_02,
            "Entries keep COPIED when a snapshot raises their counts.",
            "PEERS, copy-on-write"),
    SNAPSHOT_DATA_NOT_COUNTED(
            SnapshotClause.QC_SNAP_01,
            "A snapshot counts the L2 tables and not the clusters behind.",
            "counts by table"),
    SNAPSHOT_DELETE_LEAVES_COPIED_CLEAR(
            MappingClause.QC_L2_03,
            "After a snapshot is deleted clusters that are no longer shared lack COPIED.",
            "flags are not rebuilt"),
    SNAPSHOT_DELETE_LEAKS_L1(
            RefcountClause.QC_REF_03, "The L1 table of a deleted snapshot stays allocated.", "a lost release"),
    SNAPSHOT_APPLY_FORGETS_OLD(
            RefcountClause.QC_REF_03,
            "Applying a snapshot leaves the counts of the replaced tables.",
            "a lost release"),
    SNAPSHOT_NOT_COUNTED(SnapshotClause.QC_SNAP_01, "A snapshot raises no count at all.", "a lost step"),
    SNAPSHOT_TABLES_NOT_COUNTED(
            SnapshotClause.QC_SNAP_01,
            "A snapshot counts data clusters and not the L2 tables that lead to them.",
            "counts of data only"),
    SNAPSHOT_APPLY_NOT_COUNTED(
            SnapshotClause.QC_SNAP_03, "What a snapshot brings back is not counted for it.", "a lost step"),
    SNAPSHOT_APPLY_SETS_COPIED(
            MappingClause.QC_L2_03,
            "Restored entries carry COPIED though the snapshot shares their clusters.",
            "PEERS, copy-on-write"),
    SNAPSHOT_DELETE_FREES_SHARED(
            RefcountClause.QC_REF_03, "A deleted snapshot frees clusters that are in use.", "docker/for-mac#1315"),
    SNAPSHOT_DELETE_KEEPS_TABLES(
            RefcountClause.QC_REF_03, "The L2 tables of a deleted snapshot stay counted.", "a lost release"),
    OLD_TABLE_NOT_RELEASED(
            RefcountClause.QC_REF_03, "A copied L2 table leaves the old one's count up.", "cloud-hypervisor#8597"),
    OLD_TABLE_FREED(
            RefcountClause.QC_REF_03,
            "A copied L2 table frees the old one, which a snapshot still names.",
            "cloud-hypervisor#8606"),
    TABLE_COPY_RELEASES_DATA(
            RefcountClause.QC_REF_03, "Copying an L2 table lowers the counts of its data.", "a release too many"),
    // Backing files.
    SHORT_BACKING_READ_PAST_END(
            BackingClause.QC_BACK_01,
            "A read past the end of a short backing file leaves the buffer as it was.",
            "cloud-hypervisor#7678"),
    BACKING_FORMAT_IGNORED(
            BackingClause.QC_BACK_05, "The backing file's format is always probed.", "CVE-2024-32498 and its like"),
    BACKING_RELATIVE_TO_PROCESS(
            BackingClause.QC_BACK_03,
            "A relative backing name is looked up where the process runs.",
            "fox-it/dissect.hypervisor#65"),
    // Header.
    UNKNOWN_INCOMPATIBLE_BIT_IGNORED(
            HeaderClause.QC_HDR_15, "An unknown incompatible bit is ignored.", "cloud-hypervisor#7612"),
    AUTOCLEAR_NOT_CLEARED(
            HeaderClause.QC_HDR_23, "Unknown autoclear bits survive writing.", "PEERS, bitmaps kept enabled and stale"),
    AUTOCLEAR_CLEARED_READ_ONLY(
            GuestClause.QC_GUEST_07,
            "Autoclear bits are cleared even when nothing may be written.",
            "QC-GUEST-07 broken"),
    HEADER_EXTENSION_LOST(
            ExtensionClause.QC_EXT_04,
            "A rewritten header lacks the extensions that were unknown.",
            "cloud-hypervisor#8558"),
    COMPATIBLE_BITS_LOST(HeaderClause.QC_HDR_21, "A rewritten header has no compatible bits.", "cloud-hypervisor#6354"),
    HEADER_LENGTH_IGNORED(
            HeaderClause.QC_HDR_14, "Extensions are looked for at byte 104 of every header.", "vasi/qcow2-fuse#4"),
    VERSION_2_READ_AS_3(HeaderClause.QC_HDR_13, "Feature fields are read in a version 2 header.", "PEERS, header"),
    // Order of writes: seen only by those who cut the power.
    NO_FLUSH_BEFORE_LINK(
            MappingClause.QC_L2_13,
            "The entry is written without waiting for what it names.",
            "the crash states of cloud-hypervisor#8748 and its like"),
    LOWERED_BEFORE_UNLINKED(
            RefcountClause.QC_REF_14,
            "The count of a host cluster falls while the entry still names it.",
            "the same in the other direction"),
    REUSED_BEFORE_FLUSH(
            RefcountClause.QC_REF_15,
            "A dropped cluster is handed out before the entry that dropped it is on disk.",
            "free lists that know nothing of flushes"),
    SNAPSHOT_HEADER_FIRST(
            SnapshotClause.QC_SNAP_10,
            "The header names a snapshot before its clusters are counted.",
            "the order of the description instead of the order of the disk"),
    SNAPSHOT_WITHOUT_FLUSH(
            SnapshotClause.QC_SNAP_10,
            "A snapshot is taken and nothing flushed on the way.",
            "caches that write later"),
    SNAPSHOT_FLAGS_LAST(
            SnapshotClause.QC_SNAP_02,
            "COPIED goes off after the header names the snapshot.",
            "flags as an afterthought"),
    SNAPSHOT_DELETE_LOWERS_FIRST(
            RefcountClause.QC_REF_14,
            "Counts fall before the header lets go of the snapshot.",
            "the order of the description instead of the order of the disk"),
    SNAPSHOT_DELETE_WITHOUT_FLUSH(
            RefcountClause.QC_REF_14,
            "A snapshot is deleted and nothing flushed on the way.",
            "caches that write later"),
    SNAPSHOT_APPLY_WITHOUT_FLUSH(
            RefcountClause.QC_REF_13,
            "A snapshot is restored and nothing flushed on the way.",
            "caches that write later"),
    SNAPSHOT_APPLY_LOWERS_FIRST(
            RefcountClause.QC_REF_14,
            "What a snapshot replaces is uncounted while the header still names it.",
            "the order of the description instead of the order of the disk"),
    FLUSH_FORGOTTEN(GuestClause.QC_GUEST_06, "A flush of the guest reaches nobody.", "an empty override"),
    // Requests.
    OUT_OF_BOUNDS_CLIPPED(
            GuestClause.QC_GUEST_02, "A request past the end of the disk is cut to what fits.", "QC-GUEST-02 broken"),
    STATUS_FORGETS_BACKING(
            GuestClause.QC_GUEST_09,
            "Block status calls an unallocated cluster zero whatever lies behind.",
            "QC-GUEST-09 broken");

    private final Clause clause;
    private final String story;
    private final String resembles;

    Fault(Clause clause, String story, String resembles) {
        this.clause = clause;
        this.story = story;
        this.resembles = resembles;
    }

    /**
     * Returns the rule that is broken; the tests of the faults are checks of these rules.
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
