package dev.qcow2.spec.disk;

import org.jspecify.annotations.Nullable;

/** The host failed to do what it was asked. */
public final class HostIoException extends HostException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal by the host.
     *
     * @param fileName the host file
     * @param operation what was tried, with offset and length
     * @param cause what the host said, if it said anything
     */
    public HostIoException(String fileName, String operation, @Nullable Throwable cause) {
        super(fileName + ": " + operation + " failed" + (cause == null ? "" : ": " + cause));
        if (cause != null) {
            initCause(cause);
        }
    }

    @Override
    public String advice() {
        return "Look at the host: does the file exist, may it be accessed, is its device healthy?";
    }
}
