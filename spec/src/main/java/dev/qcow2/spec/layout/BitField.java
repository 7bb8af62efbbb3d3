package dev.qcow2.spec.layout;

import dev.qcow2.spec.clause.Clause;

/**
 * Some neighbouring bits of a 64-bit entry.
 *
 * @param name unique in its structure
 * @param offset number of the lowest bit; 0 is the least significant one
 * @param width bits, 1 to 64
 * @param meaning a phrase
 * @param since the first version that has it
 * @param clause the rule that governs it
 */
public record BitField(String name, int offset, int width, String meaning, Clause.Since since, Clause clause)
        implements Field {

    /**
     * Returns the field's bits at their place in the entry.
     *
     * @return ones where the field is
     */
    public long mask() {
        return (width == 64 ? -1L : (1L << width) - 1) << offset;
    }

    /**
     * Reads the field as a number.
     *
     * @param entry the whole entry
     * @return the bits, shifted down to bit 0
     */
    public long get(long entry) {
        return (entry & mask()) >>> offset;
    }

    /**
     * Pokes the field.
     *
     * @param entry the whole entry
     * @param value the number; bits that are too high for the field are cut off
     * @return the entry with this field changed
     */
    public long set(long entry, long value) {
        return (entry & ~mask()) | ((value << offset) & mask());
    }

    /**
     * Reads the field without a shift. For a field that holds an offset this is the offset in bytes.
     *
     * @param entry the whole entry
     * @return the entry with all other bits zero
     */
    public long inPlace(long entry) {
        return entry & mask();
    }

    /**
     * Says whether any bit of the field is set.
     *
     * @param entry the whole entry
     * @return false if all bits are zero
     */
    public boolean isSet(long entry) {
        return (entry & mask()) != 0;
    }
}
