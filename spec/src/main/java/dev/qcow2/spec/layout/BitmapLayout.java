package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V3;

import dev.qcow2.spec.clause.ExtensionClause;
import java.util.List;

/** An entry of the bitmap directory (extra data and name follow it, padded to 8 bytes), and of a bitmap table. */
public final class BitmapLayout {

    /** Place of the bitmap table. */
    public static final ByteField TABLE_OFFSET =
            new ByteField("bitmap_table_offset", 0, 8, "host offset of its table", V3, ExtensionClause.QC_EXT_11);
    /** Length of the bitmap table. */
    public static final ByteField TABLE_SIZE =
            new ByteField("bitmap_table_size", 8, 4, "entries of its table", V3, ExtensionClause.QC_EXT_11);
    /** Flags. */
    public static final ByteField FLAGS =
            new ByteField("flags", 12, 4, "bit 0 in use, bit 1 enabled", V3, ExtensionClause.QC_EXT_11);
    /** Kind of bitmap. */
    public static final ByteField TYPE =
            new ByteField("type", 16, 1, "1: dirty tracking", V3, ExtensionClause.QC_EXT_11);
    /** Bytes per bit. */
    public static final ByteField GRANULARITY_BITS = new ByteField(
            "granularity_bits", 17, 1, "a bit stands for two to this power bytes", V3, ExtensionClause.QC_EXT_11);
    /** Length of the name. */
    public static final ByteField NAME_SIZE =
            new ByteField("name_size", 18, 2, "bytes of the name", V3, ExtensionClause.QC_EXT_11);
    /** Length of the extra data. */
    public static final ByteField EXTRA_DATA_SIZE =
            new ByteField("extra_data_size", 20, 4, "bytes of extra data", V3, ExtensionClause.QC_EXT_11);
    /** The fixed part of a directory entry. */
    public static final Structure<ByteField> DIRECTORY_ENTRY = new Structure<>(
            "bitmap directory entry",
            24,
            List.of(TABLE_OFFSET, TABLE_SIZE, FLAGS, TYPE, GRANULARITY_BITS, NAME_SIZE, EXTRA_DATA_SIZE));

    /** What a cluster that is not there reads as. */
    public static final BitField ALL_ONES =
            new BitField("all_ones", 0, 1, "without offset: all bits are 1", V3, ExtensionClause.QC_EXT_11);
    /** Zeros below the offset. */
    public static final BitField RESERVED_LOW =
            new BitField("reserved_low", 1, 8, "zero", V3, ExtensionClause.QC_EXT_11);
    /** Place of a cluster of the bitmap. */
    public static final BitField DATA_OFFSET =
            new BitField("data_offset", 9, 47, "host offset of a cluster of bits, or 0", V3, ExtensionClause.QC_EXT_11);
    /** Zeros above the offset. */
    public static final BitField RESERVED_HIGH =
            new BitField("reserved_high", 56, 8, "zero", V3, ExtensionClause.QC_EXT_11);
    /** One entry of a bitmap table. */
    public static final Structure<BitField> TABLE_ENTRY =
            new Structure<>("bitmap table entry", 64, List.of(ALL_ONES, RESERVED_LOW, DATA_OFFSET, RESERVED_HIGH));

    private BitmapLayout() {}
}
