package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V3;

import dev.qcow2.spec.clause.BitmapClause;
import java.util.List;

/** An entry of the bitmap directory (extra data and name follow it, padded to 8 bytes), and of a bitmap table. */
public final class BitmapLayout {

    /** Place of the bitmap table. */
    public static final ByteField TABLE_OFFSET =
            new ByteField("bitmap_table_offset", 0, 8, "host offset of its table", V3, BitmapClause.QC_BM_05);
    /** Length of the bitmap table. */
    public static final ByteField TABLE_SIZE =
            new ByteField("bitmap_table_size", 8, 4, "entries of its table", V3, BitmapClause.QC_BM_05);
    /** Flags; see {@link #FLAG_BITS}. */
    public static final ByteField FLAGS =
            new ByteField("flags", 12, 4, "in use, enabled, extra data compatible", V3, BitmapClause.QC_BM_06);
    /** Kind of bitmap. */
    public static final ByteField TYPE = new ByteField("type", 16, 1, "1: dirty tracking", V3, BitmapClause.QC_BM_09);
    /** Bytes per bit. */
    public static final ByteField GRANULARITY_BITS = new ByteField(
            "granularity_bits", 17, 1, "a bit stands for two to this power bytes", V3, BitmapClause.QC_BM_10);
    /** Length of the name. */
    public static final ByteField NAME_SIZE =
            new ByteField("name_size", 18, 2, "bytes of the name", V3, BitmapClause.QC_BM_11);
    /** Length of the extra data. */
    public static final ByteField EXTRA_DATA_SIZE =
            new ByteField("extra_data_size", 20, 4, "bytes of extra data", V3, BitmapClause.QC_BM_12);
    /** The fixed part of a directory entry. */
    public static final Structure<ByteField> DIRECTORY_ENTRY = new Structure<>(
            "bitmap directory entry",
            24,
            List.of(TABLE_OFFSET, TABLE_SIZE, FLAGS, TYPE, GRANULARITY_BITS, NAME_SIZE, EXTRA_DATA_SIZE));

    /** The bits can't be trusted. */
    public static final BitField IN_USE =
            new BitField("in_use", 0, 1, "its last writer did not finish", V3, BitmapClause.QC_BM_07);
    /** It follows writes. */
    public static final BitField ENABLED =
            new BitField("auto", 1, 1, "it follows every change of the disk", V3, BitmapClause.QC_BM_08);
    /** Unknown extra data does no harm. */
    public static final BitField EXTRA_DATA_COMPATIBLE = new BitField(
            "extra_data_compatible", 2, 1, "may be used without knowing its extra data", V3, BitmapClause.QC_BM_12);
    /** Zeros. */
    public static final BitField FLAGS_RESERVED = new BitField("reserved", 3, 29, "zero", V3, BitmapClause.QC_BM_06);
    /** The bits of {@link #FLAGS}. */
    public static final Structure<BitField> FLAG_BITS =
            new Structure<>("bitmap flags", 32, List.of(IN_USE, ENABLED, EXTRA_DATA_COMPATIBLE, FLAGS_RESERVED));

    /** What a cluster that is not there reads as. */
    public static final BitField ALL_ONES =
            new BitField("all_ones", 0, 1, "without offset: all bits are 1", V3, BitmapClause.QC_BM_15);
    /** Zeros below the offset. */
    public static final BitField RESERVED_LOW = new BitField("reserved_low", 1, 8, "zero", V3, BitmapClause.QC_BM_14);
    /** Place of a cluster of the bitmap. */
    public static final BitField DATA_OFFSET =
            new BitField("data_offset", 9, 47, "host offset of a cluster of bits, or 0", V3, BitmapClause.QC_BM_16);
    /** Zeros above the offset. */
    public static final BitField RESERVED_HIGH =
            new BitField("reserved_high", 56, 8, "zero", V3, BitmapClause.QC_BM_14);
    /** One entry of a bitmap table. */
    public static final Structure<BitField> TABLE_ENTRY =
            new Structure<>("bitmap table entry", 64, List.of(ALL_ONES, RESERVED_LOW, DATA_OFFSET, RESERVED_HIGH));

    private BitmapLayout() {}
}
