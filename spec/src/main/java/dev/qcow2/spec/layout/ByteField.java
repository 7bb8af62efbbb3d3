package dev.qcow2.spec.layout;

import dev.qcow2.spec.clause.Clause;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A number of whole bytes, most significant byte first (QC-HDR-03).
 *
 * @param name unique in its structure
 * @param offset bytes from the structure's start
 * @param width bytes: 1, 2, 4 or 8; any other width is text or padding, which has no number
 * @param meaning a phrase
 * @param since the first version that has it
 * @param clause the rule that governs it
 */
public record ByteField(String name, int offset, int width, String meaning, Clause.Since since, Clause clause)
        implements Field {

    /**
     * Says whether the field holds a number.
     *
     * @return false for text and padding
     */
    public boolean isNumber() {
        return width == 1 || width == 2 || width == 4 || width == 8;
    }

    /**
     * Reads the field.
     *
     * @param bytes holds the structure; its order, position and limit are left alone
     * @param base where the structure starts in it
     * @return the number without sign; 64-bit numbers use the sign bit as bit 63
     */
    public long get(ByteBuffer bytes, int base) {
        ByteBuffer view = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
        int at = base + offset;
        return switch (width) {
            case 1 -> view.get(at) & 0xffL;
            case 2 -> view.getShort(at) & 0xffffL;
            case 4 -> view.getInt(at) & 0xffff_ffffL;
            case 8 -> view.getLong(at);
            default -> throw new UnsupportedOperationException(name + " is not a number");
        };
    }

    /**
     * Pokes the field.
     *
     * @param bytes holds the structure; its order, position and limit are left alone
     * @param base where the structure starts in it
     * @param value the number; bits that are too high for the field are cut off
     */
    public void set(ByteBuffer bytes, int base, long value) {
        ByteBuffer view = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
        int at = base + offset;
        switch (width) {
            case 1 -> view.put(at, (byte) value);
            case 2 -> view.putShort(at, (short) value);
            case 4 -> view.putInt(at, (int) value);
            case 8 -> view.putLong(at, value);
            default -> throw new UnsupportedOperationException(name + " is not a number");
        }
    }
}
