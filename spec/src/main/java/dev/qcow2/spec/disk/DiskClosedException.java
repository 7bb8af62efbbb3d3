package dev.qcow2.spec.disk;

/** The disk was closed before the request (QC-GUEST-08). */
public final class DiskClosedException extends RequestException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     */
    public DiskClosedException(String fileName) {
        super(fileName + " is closed");
    }

    @Override
    public String advice() {
        return "Open the image again.";
    }
}
