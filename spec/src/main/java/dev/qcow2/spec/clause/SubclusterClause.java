package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Extended L2 entries: the 32 subclusters of a cluster. */
public enum SubclusterClause implements Clause {
    QC_SUB_01(
            "An extended L2 entry has 128 bits, so a table has half as many entries and an L1 entry maps half as much of the disk.",
            V3,
            READER,
            WRITER),
    QC_SUB_02(
            "A standard cluster has 32 subclusters of the same size, in the order of their places in the cluster.",
            V3,
            READER,
            WRITER),
    QC_SUB_03(
            "Bit x of the bitmap, for x from 0 to 31, says that subcluster x is allocated: its bytes are in the host cluster.",
            V3,
            READER,
            WRITER),
    QC_SUB_04(
            "Bit 32 + x of the bitmap says that subcluster x reads as zeros, whether there is a host cluster or not.",
            V3,
            READER,
            WRITER),
    QC_SUB_05(
            "A subcluster with neither bit reads from the backing file, and as zeros where that has no bytes, also if the entry has a host cluster.",
            V3,
            READER),
    QC_SUB_06("No subcluster has both bits set; an entry that has is broken.", V3, READER, WRITER, REPAIRER),
    QC_SUB_07("An entry with an allocated subcluster names a host cluster.", V3, READER, WRITER, REPAIRER),
    QC_SUB_08(
            "The bitmap of a compressed cluster is reserved and zero, and the cluster is treated as without this feature.",
            V3,
            READER,
            WRITER),
    QC_SUB_09(
            "Bit 0 of the first half of an extended entry is reserved and zero: a zero cluster has all its zero bits set.",
            V3,
            READER,
            WRITER),
    QC_SUB_10(
            "Bytes of a host cluster that belong to a subcluster which is not allocated are never shown.", V3, READER),
    QC_SUB_11(
            "An allocating write makes those subclusters allocated that it touches, with every byte of them as the guest shall see it, and leaves the others as they are.",
            V3,
            WRITER),
    QC_SUB_12(
            "A host cluster is counted once for its entry, however many of its subclusters are allocated.",
            V3,
            WRITER,
            REPAIRER),
    QC_SUB_13(
            "Write zeroes sets zero bits and clears allocation bits together, in one write of the entry.", V3, WRITER),
    QC_SUB_14(
            "A subcluster that becomes allocated in a host cluster which others share is written after a copy of the host cluster.",
            V3,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    SubclusterClause(String paraphrase, Since since, Party... binds) {
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
