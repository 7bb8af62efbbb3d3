package dev.qcow2.spec.disk;

/** The request touches bytes outside the disk (QC-GUEST-02). */
public final class OutOfBoundsException extends RequestException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal.
     *
     * @param guestOffset first byte of the request, as it was given
     * @param length bytes of the request, as it was given
     * @param size length of the disk in bytes
     */
    public OutOfBoundsException(long guestOffset, long length, long size) {
        super("a request of " + length + " bytes at guest offset " + guestOffset + " is outside the disk of " + size
                + " bytes");
    }

    @Override
    public String advice() {
        return "Keep offset and length inside the disk; its size() tells how long it is.";
    }
}
