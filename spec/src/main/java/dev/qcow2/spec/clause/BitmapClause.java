package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Persistent bitmaps: the extension, the directory, the tables and the bits. */
public enum BitmapClause implements Clause {
    QC_BM_01("The bitmaps extension counts at least one bitmap, and its reserved bytes are zero.", V3, READER, WRITER),
    QC_BM_02(
            "The bitmap directory starts at a multiple of the cluster size, is contiguous, and is exactly as long as its entries are together.",
            V3,
            READER,
            WRITER),
    QC_BM_03("What the extension says is trusted only while the bitmaps autoclear bit is set.", V3, READER, WRITER),
    QC_BM_04("A directory entry is padded with zeros to a multiple of 8 bytes.", V3, READER, WRITER),
    QC_BM_05(
            "A bitmap table starts at a multiple of the cluster size, is contiguous, and has an entry for each cluster of the bitmap's bits.",
            V3,
            READER,
            WRITER),
    QC_BM_06("Bits 3 to 31 of a bitmap's flags are reserved and zero.", V3, READER, WRITER),
    QC_BM_07(
            "A bitmap whose in-use flag is set was not stored to the end: its bits are not trusted, and all that can be done with it is to remove it.",
            V3,
            READER,
            WRITER),
    QC_BM_08(
            "A bitmap whose auto flag is set is enabled: it follows every change of the disk from the first write on, by whatever program.",
            V3,
            WRITER),
    QC_BM_09("The type of a bitmap is 1, dirty tracking; other types are reserved.", V3, READER, WRITER),
    QC_BM_10(
            "A bit stands for two to the power granularity_bits bytes of the disk, and granularity_bits is at most 63.",
            V3,
            READER,
            WRITER),
    QC_BM_11(
            "The name of a bitmap is not empty, unique in its image, and not terminated by a zero.",
            V3,
            READER,
            WRITER),
    QC_BM_12(
            "Extra data that is unknown is kept as it is, and the bitmap is used only if its extra_data_compatible flag is set.",
            V3,
            READER,
            WRITER),
    QC_BM_13("A new bitmap has no extra data, and extra data refers to no clusters.", V3, WRITER),
    QC_BM_14(
            "Bits 1 to 8 and 56 to 63 of a bitmap table entry are reserved and zero, and so is bit 0 where there is an offset.",
            V3,
            READER,
            WRITER),
    QC_BM_15(
            "A bitmap table entry without an offset stands for a cluster of zeros, or of ones if its bit 0 is set.",
            V3,
            READER,
            WRITER),
    QC_BM_16("The offset in a bitmap table entry is a multiple of the cluster size.", V3, READER, WRITER),
    QC_BM_17(
            "Bit n of a bitmap is bit n % 8 of byte n / 8 of its data, counted from the least significant one.",
            V3, READER, WRITER),
    QC_BM_18("Bits of the last cluster that stand for nothing on the disk are zero.", V3, WRITER),
    QC_BM_19(
            "A bit of an enabled bitmap is set as soon as a byte of its range is written, zeroed or discarded.",
            V3,
            WRITER),
    QC_BM_20(
            "The in-use flag is on disk before the disk changes in a way that the stored bits do not show, and goes when the bits are stored.",
            V3,
            WRITER),
    QC_BM_21("The directory, the tables and the clusters of bits are counted once each.", V3, WRITER, REPAIRER),
    QC_BM_22("A bitmap is as long as the virtual disk, and a resize changes its length too.", V3, WRITER),
    QC_BM_23("Loading a snapshot makes all bits of an enabled bitmap dirty.", V3, WRITER),
    QC_BM_24("A bitmap that is not enabled does not change when the disk does.", V3, WRITER),
    QC_BM_25(
            "Stale bitmaps refer to no clusters: what they named is leaked, and a repair gives it back.",
            V3,
            WRITER,
            REPAIRER),
    QC_BM_26(
            "A new directory is on disk, and counted, before the header names it; what the old one named is freed after that.",
            V3,
            WRITER),
    QC_BM_27("With the last bitmap the extension and its autoclear bit go too.", V3, WRITER),
    QC_BM_28(
            "A merge makes dirty what was dirty in either bitmap, rounded outwards to the granularity of the one that takes it.",
            V3,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    BitmapClause(String paraphrase, Since since, Party... binds) {
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
