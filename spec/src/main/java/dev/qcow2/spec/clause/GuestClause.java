package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What the guest sees: the contract of a virtual disk that the format leaves to its user. */
public enum GuestClause implements Clause {
    QC_GUEST_01(
            "A read returns, for each byte, the value that was last written there, or what the image held before.",
            V2,
            READER),
    QC_GUEST_02("A request outside the disk is refused as a whole and changes nothing.", V2, READER, WRITER),
    QC_GUEST_03("After write zeroes, the whole range reads as zero, with or without permission to unmap.", V2, WRITER),
    QC_GUEST_04(
            "After a discard each byte of the range reads as before or as zero, the same at each read, and never as hidden backing data.",
            V2,
            WRITER),
    QC_GUEST_05("A discard changes no byte outside its range.", V2, WRITER),
    QC_GUEST_06("What was flushed is there after a crash.", V2, WRITER),
    QC_GUEST_07("A read-only disk refuses every change, and its file is not written.", V2, WRITER),
    QC_GUEST_08("A closed disk refuses every request.", V2, READER, WRITER),
    QC_GUEST_09(
            "A block status of zero is said only of ranges that read as zero; status extents tile the range asked for.",
            V2,
            READER),
    QC_GUEST_10("A write that fails changes no byte outside its range, and nothing that was flushed.", V2, WRITER),
    QC_GUEST_11(
            "A host cluster that held other data is never shown to the guest before all of it is written or made to read as zero.",
            V2,
            WRITER),
    QC_GUEST_12(
            "No entry that a power cut leaves behind names a cluster that was handed out twice; only leaks remain.",
            V2,
            WRITER),
    QC_GUEST_13(
            "Guest offsets are mapped by whole guest clusters of the same size as host clusters; the last one may pass the disk's end.",
            V2,
            READER,
            WRITER),
    QC_GUEST_14(
            "The result of a request does not depend on the form in which a cluster is stored: standard, compressed, by subclusters, encrypted or outside.",
            V2,
            READER,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    GuestClause(String paraphrase, Since since, Party... binds) {
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
