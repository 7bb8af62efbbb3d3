package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Compressed clusters: the form of their data, where it lies, and how it is counted. */
public enum CompressionClause implements Clause {
    QC_CMP_01(
            "All compressed clusters of an image have the compression type that its header names.", V2, READER, WRITER),
    QC_CMP_02(
            "Compression type 0 is a raw deflate stream (RFC 1951), without the head and the checksum of zlib.",
            V2,
            READER,
            WRITER),
    QC_CMP_03("Compression type 1 is zstandard: one or more frames, without a dictionary.", V3, READER, WRITER),
    QC_CMP_04(
            "Compressed data starts at the byte that its descriptor names, which need not be aligned to anything.",
            V2,
            READER,
            WRITER),
    QC_CMP_05(
            "The data ends in the last of the sectors that the descriptor counts, from the one that holds its first byte; they may go on into the next host cluster.",
            V2,
            READER,
            WRITER),
    QC_CMP_06(
            "Decompression ends when it has made one cluster of data; what follows in the last sector has no meaning.",
            V2,
            READER),
    QC_CMP_07(
            "Another compressed cluster may begin in the last sector of one, and many may share a host cluster.",
            V2,
            READER,
            WRITER),
    QC_CMP_08(
            "The count of a host cluster with compressed data is the number of compressed clusters that touch it.",
            V2,
            WRITER,
            REPAIRER),
    QC_CMP_09(
            "A compressed cluster is never written in place: a write to a part of it makes a standard cluster with all its bytes.",
            V2,
            WRITER),
    QC_CMP_10(
            "When a compressed cluster is given up, the count of every host cluster that it touches goes down by one.",
            V2,
            WRITER),
    QC_CMP_11(
            "Offset bits of a compressed descriptor above bit 55 are zero, and its data begins below the largest host offset.",
            V2,
            READER,
            WRITER),
    QC_CMP_12(
            "Compressed data that is broken, or gives less than a cluster, is an error of the image and never shown as guest bytes.",
            V2,
            READER),
    QC_CMP_13("A cluster whose compressed form saves no sector is stored as a standard cluster.", V2, WRITER),
    QC_CMP_14(
            "The last cluster of a disk that ends inside it is compressed as a whole cluster, filled up with zeros.",
            V2,
            READER,
            WRITER),
    QC_CMP_15(
            "The last sector of compressed data may pass the end of the file; what is missing there is read as zeros.",
            V2,
            READER,
            WRITER),
    QC_CMP_16("An image with an external data file, or with encryption, gets no compressed clusters.", V2, WRITER),
    QC_CMP_17(
            "A host cluster that holds compressed data holds nothing else, and is free when its last compressed cluster is given up.",
            V2,
            WRITER,
            REPAIRER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    CompressionClause(String paraphrase, Since since, Party... binds) {
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
