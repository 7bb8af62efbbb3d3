package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;

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
    QC_LIM_08("Tables that the header names do not overlap one another or the header's cluster.", V2, READER);

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
