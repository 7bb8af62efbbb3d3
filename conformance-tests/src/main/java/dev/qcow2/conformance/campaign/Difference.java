package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.language.Script;
import java.util.Locale;

/**
 * An implementation that is not as it should be, and how to see it again.
 *
 * @param kind what is wrong
 * @param subject name of the implementation, or of the oracle that objects
 * @param step index of the operation after which it was seen; the number of operations if at the end
 * @param message what was found and what was expected
 * @param original the sequence that showed it first
 * @param minimal the smallest script found that shows the same kind of difference
 */
public record Difference(Kind kind, String subject, int step, String message, Script original, Script minimal) {

    /** Kinds of differences. */
    public enum Kind {
        /** The guest reads other bytes than the model says. */
        WRONG_BYTES,
        /** A block status says zero of what is not, or does not tile its range. */
        WRONG_STATUS,
        /** A bitmap is not as the model says. */
        WRONG_BITMAP,
        /** The auditor finds a corruption or a leak. */
        AUDIT,
        /** What changed in the image is no step of the formal model. */
        TRACE,
        /** Another implementation can't open the image, or reads other bytes from it. */
        FOREIGN_READ,
        /** A request that must succeed was refused. */
        REFUSAL,
        /** A request that must be refused was not, or with another error. */
        NOT_REFUSED,
        /** A raw exception or error came out. */
        CRASH,
        /** No answer came within the time limit. */
        HANG,
        /** QEMU finds fault with the image, or reads other bytes from it. */
        QEMU;

        /**
         * Returns the words for reports.
         *
         * @return for instance {@code wrong bytes}
         */
        public String words() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /**
     * Returns the difference with a smaller script.
     *
     * @param smaller what shows it as well
     * @return a copy
     */
    public Difference withMinimal(Script smaller) {
        return new Difference(kind, subject, step, message, original, smaller);
    }

    @Override
    public String toString() {
        return kind.words() + " in " + subject + " at step " + (step + 1) + ": " + message;
    }
}
