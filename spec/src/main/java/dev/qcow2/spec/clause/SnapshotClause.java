package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Internal snapshots: the snapshot table and its effect on refcounts. */
public enum SnapshotClause implements Clause {
    QC_SNAP_01(
            "Taking a snapshot copies the active L1 table and raises the count of every L2 table and cluster that it reaches.",
            V2,
            WRITER),
    QC_SNAP_02("After a snapshot is taken no entry that it shares carries COPIED in the active tables.", V2, WRITER),
    QC_SNAP_03("Loading a snapshot rebuilds every COPIED flag of the new active tables from the counts.", V2, WRITER),
    QC_SNAP_04("Snapshot table entries follow each other, each padded to a multiple of 8 bytes.", V2, READER, WRITER),
    QC_SNAP_05("A snapshot's L1 table starts at a multiple of the cluster size.", V2, READER, WRITER),
    QC_SNAP_06(
            "Unknown extra data of a snapshot entry is ignored, and kept when the table is rewritten.",
            V2,
            READER,
            WRITER),
    QC_SNAP_07(
            "In version 3 an entry has at least 16 bytes of extra data: the 64-bit VM state size and the disk size; one that lacks them is read as in version 2, and completed when the table is written or repaired.",
            V3,
            READER,
            WRITER),
    QC_SNAP_08("The id of a snapshot is unique in its image.", V2, WRITER),
    QC_SNAP_09("If the 64-bit VM state size is present the 32-bit field is ignored.", V2, READER),
    QC_SNAP_10(
            "A new snapshot table is on disk, and counted, before the header names it; the old one is freed after that.",
            V2,
            WRITER),
    QC_SNAP_11(
            "Machine state is stored like guest content, from the first guest cluster that an L1 entry describes which describes no part of the disk.",
            V2,
            READER,
            WRITER),
    QC_SNAP_12(
            "The disk size in an entry's extra data is the size of that snapshot; without it the snapshot has the size that the disk has now.",
            V2,
            READER,
            WRITER),
    QC_SNAP_13(
            "The third number of the extra data, if it is there, is the instruction count, and all ones if none was counted; it is kept.",
            V3,
            READER,
            WRITER),
    QC_SNAP_14(
            "Ids and names of snapshots are as long as their entry says, without a terminating zero.",
            V2,
            READER,
            WRITER),
    QC_SNAP_15(
            "A snapshot's L1 table has as many entries as its own entry says, whatever the active table has.",
            V2,
            READER,
            WRITER),
    QC_SNAP_16(
            "Deleting a snapshot lowers the count of all that it reached, and each COPIED flag of the active tables is right again afterwards.",
            V2,
            WRITER),
    QC_SNAP_17(
            "Loading a snapshot gives the disk the snapshot's size, and an active L1 table long enough for it.",
            V2,
            WRITER),
    QC_SNAP_18(
            "The time of a snapshot is given in seconds since the epoch and in nanoseconds of that second.",
            V2,
            READER,
            WRITER),
    QC_SNAP_19(
            "COPIED flags of tables that only snapshots reach may be wrong, and nobody relies on them.",
            V2,
            READER,
            WRITER),
    QC_SNAP_20(
            "Padding of the snapshot table has no meaning, and the table is contiguous in the file.",
            V2,
            READER,
            WRITER),
    QC_SNAP_21(
            "In version 2 an entry may have no extra data at all, and is read and applied without it.",
            V2,
            READER,
            WRITER),
    QC_SNAP_22(
            "A snapshot keeps the area of machine state as it stands and leaves it empty, loading it brings that back, and a resize or a commit empties the area.",
            V2,
            WRITER),
    QC_SNAP_23(
            "An entry says for how many nanoseconds the guest had been running, which is 0 where there was none; it is kept.",
            V2,
            READER,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    SnapshotClause(String paraphrase, Since since, Party... binds) {
        this.paraphrase = paraphrase;
        this.since = since;
        this.binds = Set.copyOf(EnumSet.copyOf(List.of(binds)));
    }

    @Override
    public String paraphrase() {
        return paraphrase;
    }

    @Override
    public Since since() {
        return since;
    }

    @Override
    public Set<Party> binds() {
        return binds;
    }

    @Override
    public String toString() {
        return id();
    }
}
