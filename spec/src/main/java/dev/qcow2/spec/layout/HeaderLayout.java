package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import dev.qcow2.spec.clause.HeaderClause;
import java.util.List;
import java.util.stream.Stream;

/** The header in the file's first cluster. */
public final class HeaderLayout {

    /** What {@link #MAGIC} holds: 'Q', 'F', 'I', 0xfb. */
    public static final long MAGIC_VALUE = 0x514649fbL;

    /** 'Q', 'F', 'I', 0xfb. */
    public static final ByteField MAGIC =
            new ByteField("magic", 0, 4, "marks a qcow2 image", V2, HeaderClause.QC_HDR_01);
    /** Format version. */
    public static final ByteField VERSION =
            new ByteField("version", 4, 4, "format version", V2, HeaderClause.QC_HDR_02);
    /** Where the backing file's name is. */
    public static final ByteField BACKING_FILE_OFFSET = new ByteField(
            "backing_file_offset", 8, 8, "host offset of the backing file's name, or 0", V2, HeaderClause.QC_HDR_04);
    /** How long the backing file's name is. */
    public static final ByteField BACKING_FILE_SIZE =
            new ByteField("backing_file_size", 16, 4, "bytes of the backing file's name", V2, HeaderClause.QC_HDR_05);
    /** Size of a cluster. */
    public static final ByteField CLUSTER_BITS =
            new ByteField("cluster_bits", 20, 4, "a cluster has two to this power bytes", V2, HeaderClause.QC_HDR_06);
    /** Size of the disk. */
    public static final ByteField SIZE =
            new ByteField("size", 24, 8, "bytes of the virtual disk", V2, HeaderClause.QC_HDR_07);
    /** Encryption. */
    public static final ByteField CRYPT_METHOD =
            new ByteField("crypt_method", 32, 4, "0 none, 1 AES, 2 LUKS", V2, HeaderClause.QC_HDR_08);
    /** Length of the active L1 table. */
    public static final ByteField L1_SIZE =
            new ByteField("l1_size", 36, 4, "entries of the active L1 table", V2, HeaderClause.QC_HDR_09);
    /** Place of the active L1 table. */
    public static final ByteField L1_TABLE_OFFSET =
            new ByteField("l1_table_offset", 40, 8, "host offset of the active L1 table", V2, HeaderClause.QC_HDR_09);
    /** Place of the refcount table. */
    public static final ByteField REFCOUNT_TABLE_OFFSET = new ByteField(
            "refcount_table_offset", 48, 8, "host offset of the refcount table", V2, HeaderClause.QC_HDR_10);
    /** Length of the refcount table. */
    public static final ByteField REFCOUNT_TABLE_CLUSTERS = new ByteField(
            "refcount_table_clusters", 56, 4, "clusters of the refcount table", V2, HeaderClause.QC_HDR_11);
    /** Number of snapshots. */
    public static final ByteField NB_SNAPSHOTS =
            new ByteField("nb_snapshots", 60, 4, "entries of the snapshot table", V2, HeaderClause.QC_HDR_12);
    /** Place of the snapshot table. */
    public static final ByteField SNAPSHOTS_OFFSET =
            new ByteField("snapshots_offset", 64, 8, "host offset of the snapshot table", V2, HeaderClause.QC_HDR_12);
    /** Bits of features that a reader must know; see {@link #INCOMPATIBLE}. */
    public static final ByteField INCOMPATIBLE_FEATURES = new ByteField(
            "incompatible_features", 72, 8, "features that forbid opening if unknown", V3, HeaderClause.QC_HDR_15);
    /** Bits of features that may be ignored; see {@link #COMPATIBLE}. */
    public static final ByteField COMPATIBLE_FEATURES = new ByteField(
            "compatible_features", 80, 8, "features that may be ignored if unknown", V3, HeaderClause.QC_HDR_21);
    /** Bits that a writer clears if it does not know them; see {@link #AUTOCLEAR}. */
    public static final ByteField AUTOCLEAR_FEATURES = new ByteField(
            "autoclear_features", 88, 8, "features that a writer clears if unknown", V3, HeaderClause.QC_HDR_23);
    /** Width of a reference count. */
    public static final ByteField REFCOUNT_ORDER = new ByteField(
            "refcount_order", 96, 4, "a reference count has two to this power bits", V3, HeaderClause.QC_HDR_24);
    /** Length of the header. */
    public static final ByteField HEADER_LENGTH =
            new ByteField("header_length", 100, 4, "bytes of the header", V3, HeaderClause.QC_HDR_14);
    /** Compression of clusters. */
    public static final ByteField COMPRESSION_TYPE =
            new ByteField("compression_type", 104, 1, "0 zlib, 1 zstd", V3, HeaderClause.QC_HDR_28);
    /** Fills the header up to a multiple of 8. */
    public static final ByteField PADDING =
            new ByteField("padding", 105, 7, "zeros up to a multiple of 8", V3, HeaderClause.QC_HDR_27);

    /** The version 2 header. */
    public static final Structure<ByteField> HEADER_V2 = new Structure<>(
            "header, version 2",
            72,
            List.of(
                    MAGIC,
                    VERSION,
                    BACKING_FILE_OFFSET,
                    BACKING_FILE_SIZE,
                    CLUSTER_BITS,
                    SIZE,
                    CRYPT_METHOD,
                    L1_SIZE,
                    L1_TABLE_OFFSET,
                    REFCOUNT_TABLE_OFFSET,
                    REFCOUNT_TABLE_CLUSTERS,
                    NB_SNAPSHOTS,
                    SNAPSHOTS_OFFSET));
    /** The version 3 header as far as it is known. */
    public static final Structure<ByteField> HEADER_V3 = new Structure<>(
            "header, version 3",
            112,
            Stream.concat(
                            HEADER_V2.fields().stream(),
                            Stream.of(
                                    INCOMPATIBLE_FEATURES,
                                    COMPATIBLE_FEATURES,
                                    AUTOCLEAR_FEATURES,
                                    REFCOUNT_ORDER,
                                    HEADER_LENGTH,
                                    COMPRESSION_TYPE,
                                    PADDING))
                    .toList());

    /** The refcounts may be wrong. */
    public static final BitField DIRTY =
            new BitField("dirty", 0, 1, "the refcounts may be wrong", V3, HeaderClause.QC_HDR_16);
    /** Any metadata may be wrong. */
    public static final BitField CORRUPT =
            new BitField("corrupt", 1, 1, "any metadata may be wrong", V3, HeaderClause.QC_HDR_17);
    /** Guest clusters live in another file. */
    public static final BitField EXTERNAL_DATA_FILE =
            new BitField("external_data_file", 2, 1, "guest clusters live in another file", V3, HeaderClause.QC_HDR_18);
    /** The compression is not zlib. */
    public static final BitField COMPRESSION =
            new BitField("compression_type", 3, 1, "the compression is not zlib", V3, HeaderClause.QC_HDR_19);
    /** L2 entries have 128 bits. */
    public static final BitField EXTENDED_L2 =
            new BitField("extended_l2", 4, 1, "L2 entries have 128 bits", V3, HeaderClause.QC_HDR_20);
    /** Unknown incompatible bits. */
    public static final BitField INCOMPATIBLE_UNKNOWN =
            new BitField("unknown", 5, 59, "unknown: the image is not opened", V3, HeaderClause.QC_HDR_15);
    /** The bits of {@link #INCOMPATIBLE_FEATURES}. */
    public static final Structure<BitField> INCOMPATIBLE = new Structure<>(
            "incompatible_features",
            64,
            List.of(DIRTY, CORRUPT, EXTERNAL_DATA_FILE, COMPRESSION, EXTENDED_L2, INCOMPATIBLE_UNKNOWN));

    /** Refcounts may be written late. */
    public static final BitField LAZY_REFCOUNTS =
            new BitField("lazy_refcounts", 0, 1, "refcounts may be written late", V3, HeaderClause.QC_HDR_22);
    /** Unknown compatible bits. */
    public static final BitField COMPATIBLE_UNKNOWN =
            new BitField("unknown", 1, 63, "unknown: ignored and kept", V3, HeaderClause.QC_HDR_21);
    /** The bits of {@link #COMPATIBLE_FEATURES}. */
    public static final Structure<BitField> COMPATIBLE =
            new Structure<>("compatible_features", 64, List.of(LAZY_REFCOUNTS, COMPATIBLE_UNKNOWN));

    /** The bitmaps are consistent. */
    public static final BitField BITMAPS =
            new BitField("bitmaps", 0, 1, "the bitmaps are consistent", V3, HeaderClause.QC_HDR_23);
    /** The data file can be read alone. */
    public static final BitField RAW_EXTERNAL_DATA =
            new BitField("raw_external_data", 1, 1, "the data file can be read alone", V3, HeaderClause.QC_HDR_30);
    /** Unknown autoclear bits. */
    public static final BitField AUTOCLEAR_UNKNOWN =
            new BitField("unknown", 2, 62, "unknown: cleared before writing", V3, HeaderClause.QC_HDR_23);
    /** The bits of {@link #AUTOCLEAR_FEATURES}. */
    public static final Structure<BitField> AUTOCLEAR =
            new Structure<>("autoclear_features", 64, List.of(BITMAPS, RAW_EXTERNAL_DATA, AUTOCLEAR_UNKNOWN));

    private HeaderLayout() {}
}
