package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** The image is encrypted, and what the caller gave does not unlock it. */
public final class LockedImageException extends ImageException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     * @param clause the rule in question
     * @param reason what was tried
     */
    public LockedImageException(String fileName, Clause clause, String reason) {
        super(fileName, clause, "is encrypted: " + reason);
    }

    @Override
    public String advice() {
        return "Give the right passphrase; without it the disk can't be read.";
    }
}
