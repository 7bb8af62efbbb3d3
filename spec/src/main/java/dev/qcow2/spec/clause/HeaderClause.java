package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The header: clauses of the first cluster of the file. */
public enum HeaderClause implements Clause {
    QC_HDR_01("The first four bytes of an image are 'Q', 'F', 'I' and 0xfb.", V2, READER, WRITER),
    QC_HDR_02("The version field is 2 or 3; any other version is refused.", V2, READER, WRITER),
    QC_HDR_03("Every number in the file is stored with its most significant byte first.", V2, READER, WRITER),
    QC_HDR_04(
            "A backing file offset of zero means that there is no backing file, and the name's length is then without meaning.",
            V2,
            READER,
            WRITER),
    QC_HDR_05("The name of the backing file is at most 1023 bytes long.", V2, READER, WRITER),
    QC_HDR_06("cluster_bits is at least 9, so a cluster has at least 512 bytes.", V2, READER, WRITER),
    QC_HDR_07(
            "The size field is the length of the virtual disk in bytes; it need not be a multiple of anything.",
            V2,
            READER,
            WRITER),
    QC_HDR_08(
            "crypt_method is 0 (none), 1 (AES) or 2 (LUKS); an encrypted image is not read or written as if it were plain.",
            V2,
            READER,
            WRITER),
    QC_HDR_09(
            "The active L1 table has l1_size entries and starts at l1_table_offset, which is a multiple of the cluster size.",
            V2,
            READER,
            WRITER),
    QC_HDR_10(
            "The refcount table starts at refcount_table_offset, which is a multiple of the cluster size.",
            V2,
            READER,
            WRITER),
    QC_HDR_11("The refcount table occupies refcount_table_clusters whole, contiguous clusters.", V2, READER, WRITER),
    QC_HDR_12(
            "The snapshot table holds nb_snapshots entries and starts at snapshots_offset, which is a multiple of the cluster size.",
            V2,
            READER,
            WRITER),
    QC_HDR_13("A version 2 header has 72 bytes, no feature bits, and 16-bit reference counts.", V2, READER, WRITER),
    QC_HDR_14("A version 3 header says its own length, which is at least 104 and a multiple of 8.", V3, READER, WRITER),
    QC_HDR_15("An image with an unknown incompatible feature bit is not opened.", V3, READER, WRITER),
    QC_HDR_16(
            "While the dirty bit is set the refcounts may be wrong: they are rebuilt before the image is used for writing.",
            V3,
            WRITER,
            REPAIRER),
    QC_HDR_17("While the corrupt bit is set nothing is written, except to restore consistency.", V3, WRITER, REPAIRER),
    QC_HDR_18(
            "With the external-data-file bit guest clusters live in another file, at the guest's own offsets and without refcounts.",
            V3,
            READER,
            WRITER),
    QC_HDR_19(
            "The compression-type bit is set exactly when the compression_type field is present and not zero.",
            V3,
            READER,
            WRITER),
    QC_HDR_20(
            "The extended-L2 bit makes each L2 entry 128 bits wide, with an allocation bitmap of 32 subclusters.",
            V3,
            READER,
            WRITER),
    QC_HDR_21(
            "Unknown compatible feature bits are ignored when reading and kept when the header is rewritten.",
            V3,
            READER,
            WRITER),
    QC_HDR_22(
            "The lazy-refcounts bit permits, and does not demand, that refcount updates are postponed under the dirty bit.",
            V3,
            READER,
            WRITER),
    QC_HDR_23(
            "Unknown autoclear bits are cleared in the file before anything else is written; a reader that does not write keeps them.",
            V3,
            WRITER),
    QC_HDR_24(
            "refcount_order is at most 6, so a reference count has 1, 2, 4, 8, 16, 32 or 64 bits.", V3, READER, WRITER),
    QC_HDR_25(
            "Additional header fields that are unknown are ignored, whatever they hold, and keep their bytes when the header is rewritten.",
            V3,
            READER,
            WRITER),
    QC_HDR_26(
            "A header field at or beyond header_length counts as absent, which means the same as zero.",
            V3,
            READER,
            WRITER),
    QC_HDR_27("Bytes that pad the header to a multiple of 8 are zero.", V3, WRITER),
    QC_HDR_28("compression_type is 0 (zlib) or 1 (zstd).", V3, READER, WRITER),
    QC_HDR_29("With the extended-L2 bit, cluster_bits is at least 14.", V3, READER, WRITER),
    QC_HDR_30(
            "The raw-external-data bit is set only together with the external-data-file bit, and never with a backing file.",
            V3,
            READER,
            WRITER),
    QC_HDR_31(
            "Feature bits that the format reserves are zero in an image that is newly made, and nobody sets a bit whose meaning they do not know.",
            V3,
            WRITER),
    QC_HDR_32(
            "The file is divided into clusters of one size, and guest data and metadata are allocated by whole clusters only.",
            V2,
            READER,
            WRITER),
    QC_HDR_33("The header lies in the first cluster as a whole.", V2, READER, WRITER),
    QC_HDR_34(
            "A writer that needs an additional field fills the absent fields in front of it with zeros, which means the same as their absence.",
            V3,
            WRITER),
    QC_HDR_35(
            "The dirty bit and the corrupt bit do not keep anybody from opening the image for reading alone.",
            V3,
            READER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    HeaderClause(String paraphrase, Since since, Party... binds) {
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
