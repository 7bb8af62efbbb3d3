package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** A backing file can't be used: refused by policy, in a loop, missing, or of an unknown format. */
public final class BackingException extends ImageException {

    private static final long serialVersionUID = 1L;

    private final String backingName;

    /**
     * Makes a refusal.
     *
     * @param fileName the image that names the backing file
     * @param clause the rule in question
     * @param backingName the name as it stands in the image
     * @param reason why it can't be used
     */
    public BackingException(String fileName, Clause clause, String backingName, String reason) {
        super(fileName, clause, "backing file \"" + backingName + "\": " + reason);
        this.backingName = backingName;
    }

    /**
     * Returns the name as it stands in the image.
     *
     * @return text from the image, not checked
     */
    public String backingName() {
        return backingName;
    }

    @Override
    public String advice() {
        return "If you trust the image, allow backing files and see that \"" + backingName
                + "\" exists relative to the image's directory.";
    }
}
