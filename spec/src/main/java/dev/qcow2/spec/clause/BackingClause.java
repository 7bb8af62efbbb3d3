package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Backing files: where the bytes of unallocated clusters come from. */
public enum BackingClause implements Clause {
    QC_BACK_01(
            "Beyond the end of a backing file that is shorter than its overlay, unallocated clusters read as zeros.",
            V2,
            READER,
            WRITER),
    QC_BACK_02("The part of a backing file beyond the overlay's size is never visible.", V2, READER, WRITER),
    QC_BACK_03("A relative backing file name is relative to the directory of the image that names it.", V2, READER),
    QC_BACK_04("A chain of backing files that comes back to a file in it is refused.", V2, READER),
    QC_BACK_05(
            "The backing format extension decides the format; without it the first bytes of the backing file do.",
            V2,
            READER),
    QC_BACK_06(
            "A backing file is opened only if the caller's policy permits it, for the image may come from a stranger.",
            V2,
            READER),
    QC_BACK_07("A backing file is never written through its overlay.", V2, WRITER),
    QC_BACK_08(
            "The name of the backing file has exactly the length that the header says, without a terminating zero.",
            V2,
            READER,
            WRITER),
    QC_BACK_09(
            "Neither the sizes nor the cluster sizes of an overlay and of its backing file need to be equal.",
            V2,
            READER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    BackingClause(String paraphrase, Since since, Party... binds) {
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
