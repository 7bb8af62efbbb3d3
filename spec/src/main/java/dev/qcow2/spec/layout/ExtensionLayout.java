package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.ExtensionClause;
import java.util.List;

/** Header extensions: a head, and the data of the types that have numbers in them. */
public final class ExtensionLayout {

    /** Ends the extension area. */
    public static final long TYPE_END = 0;
    /** The backing file's format name, as text. */
    public static final long TYPE_BACKING_FORMAT = 0xe2792acaL;
    /** Names of feature bits. */
    public static final long TYPE_FEATURE_NAMES = 0x6803f857L;
    /** Where the bitmaps are. */
    public static final long TYPE_BITMAPS = 0x23852875L;
    /** Where the encryption header is. */
    public static final long TYPE_ENCRYPTION = 0x0537be77L;
    /** The external data file's name, as text. */
    public static final long TYPE_DATA_FILE = 0x44415441L;

    /** What kind of extension it is. */
    public static final ByteField TYPE =
            new ByteField("type", 0, 4, "kind of extension", V2, ExtensionClause.QC_EXT_01);
    /** Length of the data. */
    public static final ByteField LENGTH =
            new ByteField("length", 4, 4, "bytes of data, without padding", V2, ExtensionClause.QC_EXT_01);
    /** What each extension starts with. */
    public static final Structure<ByteField> HEAD = new Structure<>("header extension", 8, List.of(TYPE, LENGTH));

    /** Which of the three feature fields. */
    public static final ByteField FEATURE_TYPE = new ByteField(
            "feature_type", 0, 1, "0 incompatible, 1 compatible, 2 autoclear", V3, ExtensionClause.QC_EXT_07);
    /** Which bit of it. */
    public static final ByteField FEATURE_BIT =
            new ByteField("feature_bit", 1, 1, "number of the bit, 0 to 63", V3, ExtensionClause.QC_EXT_07);
    /** How the feature is called. */
    public static final ByteField FEATURE_NAME =
            new ByteField("feature_name", 2, 46, "text, padded with zeros", V3, ExtensionClause.QC_EXT_07);
    /** One entry of the feature name table. */
    public static final Structure<ByteField> FEATURE_NAME_ENTRY =
            new Structure<>("feature name table entry", 48, List.of(FEATURE_TYPE, FEATURE_BIT, FEATURE_NAME));

    /** Number of bitmaps. */
    public static final ByteField NB_BITMAPS =
            new ByteField("nb_bitmaps", 0, 4, "entries of the bitmap directory", V3, BitmapClause.QC_BM_01);
    /** Zeros. */
    public static final ByteField BITMAPS_RESERVED = new ByteField("reserved", 4, 4, "zero", V3, BitmapClause.QC_BM_01);
    /** Length of the directory. */
    public static final ByteField BITMAP_DIRECTORY_SIZE =
            new ByteField("bitmap_directory_size", 8, 8, "bytes of the bitmap directory", V3, BitmapClause.QC_BM_02);
    /** Place of the directory. */
    public static final ByteField BITMAP_DIRECTORY_OFFSET = new ByteField(
            "bitmap_directory_offset", 16, 8, "host offset of the bitmap directory", V3, BitmapClause.QC_BM_02);
    /** Data of the bitmaps extension. */
    public static final Structure<ByteField> BITMAPS = new Structure<>(
            "bitmaps extension",
            24,
            List.of(NB_BITMAPS, BITMAPS_RESERVED, BITMAP_DIRECTORY_SIZE, BITMAP_DIRECTORY_OFFSET));

    /** Place of the encryption header. */
    public static final ByteField ENCRYPTION_OFFSET =
            new ByteField("encryption_offset", 0, 8, "host offset of the encryption header", V3, CryptClause.QC_CRY_04);
    /** Length of the encryption header. */
    public static final ByteField ENCRYPTION_LENGTH =
            new ByteField("encryption_length", 8, 8, "bytes of the encryption header", V3, CryptClause.QC_CRY_04);
    /** Data of the full-disk-encryption extension. */
    public static final Structure<ByteField> ENCRYPTION =
            new Structure<>("full disk encryption pointer", 16, List.of(ENCRYPTION_OFFSET, ENCRYPTION_LENGTH));

    private ExtensionLayout() {}
}
