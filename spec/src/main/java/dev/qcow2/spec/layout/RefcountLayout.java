package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V2;

import dev.qcow2.spec.clause.RefcountClause;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Refcount table entries, and the counts in a refcount block. */
public final class RefcountLayout {

    /** Zeros. */
    public static final BitField TABLE_RESERVED = new BitField("reserved", 0, 9, "zero", V2, RefcountClause.QC_REF_05);
    /** Place of a refcount block. */
    public static final BitField BLOCK_OFFSET =
            new BitField("block_offset", 9, 55, "host offset of a refcount block, or 0", V2, RefcountClause.QC_REF_04);
    /** One entry of the refcount table. */
    public static final Structure<BitField> TABLE_ENTRY =
            new Structure<>("refcount table entry", 64, List.of(TABLE_RESERVED, BLOCK_OFFSET));

    private RefcountLayout() {}

    /**
     * Reads a count (QC-REF-08, QC-REF-09).
     *
     * @param block holds a refcount block; its order, position and limit are left alone
     * @param base where the block starts in it
     * @param index place of the count in the block
     * @param order 0 to 6; a count has {@code 1 << order} bits
     * @return the count; a 64-bit one uses the sign bit as bit 63
     */
    public static long get(ByteBuffer block, int base, int index, int order) {
        ByteBuffer view = block.duplicate().order(ByteOrder.BIG_ENDIAN);
        return switch (order) {
            case 0, 1, 2 -> (view.get(base + byteOf(index, order)) >>> shiftOf(index, order)) & narrowMask(order);
            case 3 -> view.get(base + index) & 0xffL;
            case 4 -> view.getShort(base + 2 * index) & 0xffffL;
            case 5 -> view.getInt(base + 4 * index) & 0xffff_ffffL;
            case 6 -> view.getLong(base + 8 * index);
            default -> throw new IllegalArgumentException("refcount order " + order);
        };
    }

    /**
     * Pokes a count.
     *
     * @param block holds a refcount block; its order, position and limit are left alone
     * @param base where the block starts in it
     * @param index place of the count in the block
     * @param order 0 to 6
     * @param count the new count; bits that are too high for the width are cut off
     */
    public static void set(ByteBuffer block, int base, int index, int order, long count) {
        ByteBuffer view = block.duplicate().order(ByteOrder.BIG_ENDIAN);
        switch (order) {
            case 0, 1, 2 -> {
                int at = base + byteOf(index, order);
                int mask = narrowMask(order) << shiftOf(index, order);
                int bits = ((int) count << shiftOf(index, order)) & mask;
                view.put(at, (byte) ((view.get(at) & ~mask) | bits));
            }
            case 3 -> view.put(base + index, (byte) count);
            case 4 -> view.putShort(base + 2 * index, (short) count);
            case 5 -> view.putInt(base + 4 * index, (int) count);
            case 6 -> view.putLong(base + 8 * index, count);
            default -> throw new IllegalArgumentException("refcount order " + order);
        }
    }

    // QC-REF-08: the first count of a byte is in its least significant bits.

    private static int byteOf(int index, int order) {
        return index >>> (3 - order);
    }

    private static int shiftOf(int index, int order) {
        return (index << order) & 7;
    }

    private static int narrowMask(int order) {
        return (1 << (1 << order)) - 1;
    }
}
