package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Maintenance: resize, preallocation, repair, amend, commit and rebase. Where the format is silent these are our own rules. */
public enum MaintenanceClause implements Clause {
    QC_MNT_01(
            "Bytes that a resize adds read as zeros, also where the backing file is longer than the disk was.",
            V2,
            WRITER),
    QC_MNT_02("What lies behind a lower end is given up, and reads as zeros if the disk grows again.", V2, WRITER),
    QC_MNT_03("A resize that fails, or is refused, leaves the disk with its old size and its bytes.", V2, WRITER),
    QC_MNT_04("An image with snapshots that do not know their size, as in version 2, is not resized.", V2, WRITER),
    QC_MNT_05(
            "The new L1 table of a disk that grows is complete and counted before the header names it, together with its length in one write.",
            V2,
            WRITER),
    QC_MNT_06(
            "Preallocation changes no byte that the guest reads: every preallocated cluster reads as zeros.",
            V2,
            WRITER),
    QC_MNT_07("With preallocation every guest cluster has a host cluster of its own from the start.", V2, WRITER),
    QC_MNT_08(
            "The dirty bit is on disk before the first count that is postponed, and goes only when all counts are on disk.",
            V3,
            WRITER),
    QC_MNT_09(
            "A dirty image is refused for writing, or repaired first if the caller's policy says so; it is never repaired silently.",
            V3,
            WRITER),
    QC_MNT_10(
            "The corrupt bit is set when metadata is found broken while the image is in use for writing, and nothing more is written then.",
            V3,
            WRITER),
    QC_MNT_11("A repair counts every reference again and makes each stored count equal to its number.", V2, REPAIRER),
    QC_MNT_12(
            "A repair of leaks lowers counts that are too high and, if nothing else is broken, makes the COPIED flags agree with the counts; it changes nothing else.",
            V2,
            REPAIRER),
    QC_MNT_13(
            "A repair of everything mends counts, COPIED flags, and entries that can be mended without a guess, and changes no guest byte that could be read.",
            V2,
            REPAIRER),
    QC_MNT_14(
            "Refcount structures that are broken are rebuilt elsewhere and complete on disk before the header names them.",
            V2,
            REPAIRER),
    QC_MNT_15(
            "The dirty bit and the corrupt bit are cleared by a repair only when nothing broken is left.",
            V3,
            REPAIRER),
    QC_MNT_16("Corruptions and leaks are counted as qemu-img check counts them.", V2, READER, REPAIRER),
    QC_MNT_17(
            "An image that uses what only version 3 has does not become version 2 before that is gone without a loss for the guest and its snapshots.",
            V3,
            WRITER),
    QC_MNT_18(
            "A version 2 image becomes version 3 by a longer header, and its name and extensions move behind that.",
            V2,
            WRITER),
    QC_MNT_19(
            "A change of the width of counts is refused if one does not fit, and the new structures are complete on disk before the header names them with the new width.",
            V3,
            WRITER),
    QC_MNT_20("An image whose lazy-refcounts bit is taken away is clean before that.", V3, WRITER),
    QC_MNT_21("After a commit the backing file reads as the overlay did.", V2, WRITER),
    QC_MNT_22("The overlay loses its clusters only when the backing file has them on disk.", V2, WRITER),
    QC_MNT_23("A backing file that is shorter than the overlay grows before a commit writes to it.", V2, WRITER),
    QC_MNT_24("An overlay with internal snapshots is not emptied by a commit.", V2, WRITER),
    QC_MNT_25(
            "After a safe rebase the guest reads what it read before: where the two backing files differ, the old bytes are copied up first.",
            V2,
            WRITER),
    QC_MNT_26("An unsafe rebase changes the name and the format of the backing file and nothing else.", V2, WRITER),
    QC_MNT_27(
            "A maintenance request that a power cut ends leaves the image as it was, as it shall be, or such that the next open can use or repair it.",
            V2,
            WRITER,
            REPAIRER),
    QC_MNT_28("An amend that changes nothing, or is refused, writes nothing.", V2, WRITER),
    QC_MNT_29("A rewritten header keeps every extension and every field that the change is not about.", V2, WRITER),
    QC_MNT_30(
            "A disk does not shrink below what its snapshots or bitmaps in use need: snapshots keep their own length, and a bitmap in use forbids the change.",
            V2,
            WRITER),
    QC_MNT_31(
            "On the way to version 2 a zero cluster becomes unallocated, or zeros as data before a backing file, on the disk and in every snapshot; what it kept and another entry shows stays as it is.",
            V3,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    MaintenanceClause(String paraphrase, Since since, Party... binds) {
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
