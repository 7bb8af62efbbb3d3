package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** External data files: guest clusters outside of the image. */
public enum DataFileClause implements Clause {
    QC_DATA_01(
            "With an external data file, guest clusters are in that file and all metadata is in the image.",
            V3,
            READER,
            WRITER),
    QC_DATA_02(
            "The offset in a standard descriptor is the guest offset of its cluster; any other one is broken.",
            V3,
            READER,
            WRITER),
    QC_DATA_03(
            "Clusters of the data file have no counts, and the image's refcounts speak of the image alone.",
            V3,
            READER,
            WRITER,
            REPAIRER),
    QC_DATA_04(
            "COPIED is set on every allocated cluster of a data file, for each belongs to one entry.",
            V3,
            READER,
            WRITER),
    QC_DATA_05("An image with a data file has no compressed clusters.", V3, READER, WRITER),
    QC_DATA_06("An image with a data file has no internal snapshots.", V3, READER, WRITER),
    QC_DATA_07(
            "The data file's name stands in a header extension, or else the user has to give it; a relative name is relative to the image's directory.",
            V3,
            READER,
            WRITER),
    QC_DATA_08(
            "A data file is opened only if the caller's policy permits it, for the image may come from a stranger.",
            V3,
            READER),
    QC_DATA_09(
            "A raw data file holds at all times the bytes that the guest reads, so that zeros are written to it and not only noted in the image.",
            V3,
            WRITER),
    QC_DATA_10(
            "Reading from the image takes zeros from where the metadata says so, whatever a data file that is not raw holds there.",
            V3,
            READER),
    QC_DATA_11("A raw data file is as long as the disk.", V3, WRITER),
    QC_DATA_12("A name extension without the external-data-file bit names nothing, and is kept.", V3, READER, WRITER),
    QC_DATA_13("The data file is not the image itself, nor any file of its backing chain.", V3, READER, WRITER),
    QC_DATA_14(
            "Data in the data file is on disk before the entry that makes it visible, and a flush is a flush of both files.",
            V3,
            WRITER),
    QC_DATA_15(
            "A writer that does not know the raw bit clears it, and with it the promise that the data file can be read alone.",
            V3,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    DataFileClause(String paraphrase, Since since, Party... binds) {
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
