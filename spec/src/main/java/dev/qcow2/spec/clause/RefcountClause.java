package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Host cluster management: the refcount table and its blocks. */
public enum RefcountClause implements Clause {
    QC_REF_01(
            "Each host cluster has a reference count: 0 means free, 1 used, 2 or more shared.",
            V2,
            READER,
            WRITER,
            REPAIRER),
    QC_REF_02("A cluster whose count is 2 or more is copied before it is written.", V2, WRITER),
    QC_REF_03(
            "The count of a host cluster equals the number of references to it from the header, tables, entries and snapshots.",
            V2,
            WRITER,
            REPAIRER),
    QC_REF_04(
            "Bits 9 to 63 of a refcount table entry are the offset of a refcount block, a multiple of the cluster size.",
            V2,
            READER,
            WRITER),
    QC_REF_05(
            "Bits 0 to 8 of a refcount table entry are reserved and zero; in particular it carries no COPIED flag.",
            V2,
            READER,
            WRITER),
    QC_REF_06(
            "A refcount table entry of zero means that no block is there and that all counts it would hold are 0.",
            V2,
            READER,
            WRITER),
    QC_REF_07("A refcount block is one cluster of cluster_size * 8 / refcount_bits counts.", V2, READER, WRITER),
    QC_REF_08(
            "Counts narrower than a byte fill each byte from its least significant bits upwards.", V3, READER, WRITER),
    QC_REF_09("The cluster with index i is counted in block i / entries, at place i % entries.", V2, READER, WRITER),
    QC_REF_10("Refcount blocks and the clusters of the refcount table are counted themselves.", V2, WRITER, REPAIRER),
    QC_REF_11(
            "A count never wraps: an increment that does not fit its width is refused before anything changes.",
            V2,
            WRITER),
    QC_REF_12(
            "A grown refcount table is complete on disk, and counted, before the header points to it; the old one is freed after that.",
            V2,
            WRITER),
    QC_REF_13("The count of a cluster is raised on disk before a reference to it can be there.", V2, WRITER),
    QC_REF_14(
            "The count of a cluster is lowered on disk only after the last reference that is dropped has gone from the disk.",
            V2,
            WRITER),
    QC_REF_15(
            "A freed cluster is not handed out again before the metadata that dropped it is safe on disk.", V2, WRITER),
    QC_REF_16(
            "No two references of different kinds share a host cluster, and nothing points at the header's cluster.",
            V2,
            READER,
            WRITER),
    QC_REF_17(
            "A host cluster that the refcount table does not reach has the count 0, and the table grows before such a cluster is used.",
            V2,
            READER,
            WRITER),
    QC_REF_18(
            "The refcount table is contiguous in the file; its entries beyond the end of the file are zero or lead to blocks like any other.",
            V2,
            READER,
            WRITER),
    QC_REF_19(
            "A cluster that a compressed cluster touches with a single byte is counted once for that compressed cluster.",
            V2,
            WRITER,
            REPAIRER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    RefcountClause(String paraphrase, Since since, Party... binds) {
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
