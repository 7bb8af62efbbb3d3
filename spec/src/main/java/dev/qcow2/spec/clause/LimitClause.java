package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Our limits: bounds that the format does not state, so that any file can be opened safely. */
public enum LimitClause implements Clause {
    QC_LIM_01("A cluster has at most 2 MiB (cluster_bits 21), as QEMU demands.", V2, READER, WRITER),
    QC_LIM_02(
            "An L1 table has at most 32 MiB, as QEMU demands; this bounds the memory that an image can claim.",
            V2,
            READER,
            WRITER),
    QC_LIM_03("A refcount table has at most 8 MiB, as QEMU demands.", V2, READER, WRITER),
    QC_LIM_04("A chain has at most 200 images, so that opening one takes bounded time.", V2, READER),
    QC_LIM_05(
            "A snapshot table has at most 65536 entries and 64 MiB, and an entry's extra data at most 1024 bytes, as QEMU demands.",
            V2,
            READER),
    QC_LIM_06(
            "Offsets and sizes are below 2^63; host offsets that an L1 or L2 entry names are below 2^56.",
            V2,
            READER,
            WRITER),
    QC_LIM_07("Every table that the header names lies inside the file.", V2, READER),
    QC_LIM_08("Tables that the header names do not overlap one another or the header's cluster.", V2, READER),
    QC_LIM_09(
            "A LUKS key derivation has at least one and at most 2^25 iterations, so that opening an image takes bounded time.",
            V3,
            READER),
    QC_LIM_10(
            "Decompression stops at one cluster of output, and reads no byte beyond the sectors that the descriptor names.",
            V2,
            READER),
    QC_LIM_11(
            "An image has at most 65535 bitmaps, and their directory at most 65535 KiB, as QEMU demands.",
            V3,
            READER,
            WRITER),
    QC_LIM_12(
            "A bitmap table has at most 2^27 entries, and a bitmap takes at most 512 MiB, as QEMU demands.",
            V3,
            READER,
            WRITER),
    QC_LIM_13(
            "A bitmap has a granularity of 9 to 31 bits, and a name of at most 1023 bytes, as QEMU demands.",
            V3,
            READER,
            WRITER),
    QC_LIM_14("The name of an external data file has 1 to 1023 bytes.", V3, READER, WRITER),
    QC_LIM_15(
            "A compressed cluster is stored in fewer sectors than a whole cluster has when we write it, and a descriptor can't name more than two clusters' worth of them.",
            V2,
            READER,
            WRITER),
    QC_LIM_16(
            "The LUKS header with its key material takes at most 64 MiB, so that opening an image takes bounded memory.",
            V3,
            READER),
    QC_LIM_17("Machine state ends where the L1 table would pass its largest length.", V2, READER, WRITER),
    QC_LIM_18(
            "Where a bitmap's table or its bits would lie outside the file or over other metadata, the bitmap is refused and the disk can still be read.",
            V3,
            READER),
    QC_LIM_19(
            "Every piece of metadata is checked before memory is taken for it, so no number in an image can claim more memory than the file could fill.",
            V2,
            READER),
    QC_LIM_20(
            "A disk of 0 bytes gets no bitmaps, and one with bitmaps does not shrink to 0 bytes: the table of such a bitmap would have no entry, and QEMU refuses the whole image.",
            V3,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    LimitClause(String paraphrase, Since since, Party... binds) {
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
