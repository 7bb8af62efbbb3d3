package dev.qcow2.spec.layout;

import dev.qcow2.spec.clause.Clause;

/** One number of an on-disk structure, or some bits of an entry. */
public sealed interface Field permits ByteField, BitField {

    /**
     * Returns the name that the format gives it.
     *
     * @return lower case with underscores, unique in its structure
     */
    String name();

    /**
     * Returns where it starts.
     *
     * @return bytes from the structure's start, or the number of the lowest bit
     */
    int offset();

    /**
     * Returns how wide it is.
     *
     * @return bytes, or bits
     */
    int width();

    /**
     * Returns what the number means.
     *
     * @return a phrase
     */
    String meaning();

    /**
     * Returns the version that introduced it.
     *
     * @return the first format version that has the field
     */
    Clause.Since since();

    /**
     * Returns the rule that governs it.
     *
     * @return the clause to cite when the field is wrong
     */
    Clause clause();

    /**
     * Returns the first place after it.
     *
     * @return in the unit of {@link #offset()}
     */
    default int end() {
        return offset() + width();
    }
}
