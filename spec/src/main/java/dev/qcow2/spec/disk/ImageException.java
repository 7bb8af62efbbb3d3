package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** The image is the reason: it breaks a clause, or needs something that is not there. */
public abstract sealed class ImageException extends DiskException
        permits MalformedImageException,
                CorruptImageException,
                UnsupportedFeatureException,
                LockedImageException,
                BackingException,
                DataFileException {

    private static final long serialVersionUID = 1L;

    private final transient Clause clause;
    private final String fileName;

    /**
     * Makes a refusal of an image.
     *
     * @param fileName the image
     * @param clause the rule in question
     * @param message what happened, and where
     */
    protected ImageException(String fileName, Clause clause, String message) {
        super(fileName + ": " + message + " [" + clause.id() + ": " + clause.paraphrase() + "]");
        this.clause = clause;
        this.fileName = fileName;
    }

    /**
     * Returns the rule in question.
     *
     * @return a clause of the catalogue
     */
    public Clause clause() {
        return clause;
    }

    /**
     * Returns the image's name.
     *
     * @return as it was opened
     */
    public String fileName() {
        return fileName;
    }
}
