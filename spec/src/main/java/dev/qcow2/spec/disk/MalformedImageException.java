package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** The file is not a valid image: found when opening. */
public final class MalformedImageException extends ImageException {

    private static final long serialVersionUID = 1L;

    private final long hostOffset;
    private final String found;
    private final String allowed;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     * @param clause the rule that it breaks
     * @param hostOffset where in the file the offending field is, in bytes
     * @param found what stands there
     * @param allowed what may stand there
     */
    public MalformedImageException(String fileName, Clause clause, long hostOffset, String found, String allowed) {
        super(fileName, clause, "at byte " + hostOffset + ": found " + found + ", allowed is " + allowed);
        this.hostOffset = hostOffset;
        this.found = found;
        this.allowed = allowed;
    }

    /**
     * Returns where the offending field is.
     *
     * @return host offset in bytes
     */
    public long hostOffset() {
        return hostOffset;
    }

    /**
     * Returns what stands there.
     *
     * @return text for a person
     */
    public String found() {
        return found;
    }

    /**
     * Returns what may stand there.
     *
     * @return text for a person
     */
    public String allowed() {
        return allowed;
    }

    @Override
    public String advice() {
        return "Check that the file is a qcow2 image and is complete; the byte at offset " + hostOffset
                + " is the first to look at.";
    }
}
