package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** Metadata is broken: found while the image was in use. */
public final class CorruptImageException extends ImageException {

    private static final long serialVersionUID = 1L;

    private final long hostOffset;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     * @param clause the rule that it breaks
     * @param hostOffset where in the file the broken metadata is, in bytes
     * @param found what stands there
     * @param allowed what may stand there
     */
    public CorruptImageException(String fileName, Clause clause, long hostOffset, String found, String allowed) {
        super(fileName, clause, "corrupt at byte " + hostOffset + ": found " + found + ", allowed is " + allowed);
        this.hostOffset = hostOffset;
    }

    /**
     * Returns where the broken metadata is.
     *
     * @return host offset in bytes
     */
    public long hostOffset() {
        return hostOffset;
    }

    @Override
    public String advice() {
        return "Stop writing to the image, copy the file, and check the copy.";
    }
}
