package dev.qcow2.spec.audit;

import dev.qcow2.spec.clause.Clause;

/**
 * Something in an image that is not as it should be.
 *
 * @param kind how bad it is, and who else would see it
 * @param hostOffset where in the file, in bytes: the cluster or the entry in question
 * @param guestOffset where on the disk, in bytes, or -1 if no part of the disk is concerned
 * @param clause the rule that is broken
 * @param message what was found, for a person
 */
public record Finding(Kind kind, long hostOffset, long guestOffset, Clause clause, String message) {

    /** How bad a finding is. */
    public enum Kind {
        /** Data can be lost; {@code qemu-img check} counts it as a corruption. */
        CORRUPTION,
        /** A cluster is lost to the image until it is repaired; {@code qemu-img check} counts it as a leak. */
        LEAK,
        /** A rule is broken in a way that {@code qemu-img check} does not look at. */
        BREACH,
        /** Allowed, but worth to know. */
        WARNING
    }

    @Override
    public String toString() {
        return kind + " at host offset " + hostOffset
                + (guestOffset < 0 ? "" : ", guest offset " + guestOffset)
                + ": " + message + " [" + clause.id() + "]";
    }
}
