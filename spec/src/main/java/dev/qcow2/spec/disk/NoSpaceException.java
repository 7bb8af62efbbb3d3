package dev.qcow2.spec.disk;

/** The host has no room for the bytes. */
public final class NoSpaceException extends HostException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal by the host.
     *
     * @param fileName the host file
     * @param operation what was tried, with offset and length
     */
    public NoSpaceException(String fileName, String operation) {
        super(fileName + ": no space left for " + operation);
    }

    @Override
    public String advice() {
        return "Make room on the host and try again; what was flushed is still there.";
    }
}
