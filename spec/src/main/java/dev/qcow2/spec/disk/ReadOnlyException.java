package dev.qcow2.spec.disk;

/** The disk was opened read-only, and the request would change it (QC-GUEST-07). */
public final class ReadOnlyException extends RequestException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     */
    public ReadOnlyException(String fileName) {
        super(fileName + " was opened read-only");
    }

    @Override
    public String advice() {
        return "Open the image read-write.";
    }
}
