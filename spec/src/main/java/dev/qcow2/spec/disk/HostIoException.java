package dev.qcow2.spec.disk;

import org.jspecify.annotations.Nullable;

/** The host failed to do what it was asked. */
public final class HostIoException extends HostException {

    private static final long serialVersionUID = 1L;

    private final String fileName;
    private final String operation;

    /**
     * Makes a refusal by the host.
     *
     * @param fileName the host file
     * @param operation what was tried, with offset and length
     * @param cause what the host said, if it said anything
     */
    public HostIoException(String fileName, String operation, @Nullable Throwable cause) {
        super(fileName + ": " + operation + " failed" + (cause == null ? "" : ": " + cause));
        this.fileName = fileName;
        this.operation = operation;
        if (cause != null) {
            initCause(cause);
        }
    }

    /**
     * Returns the name of the file.
     *
     * @return as it was opened
     */
    public String fileName() {
        return fileName;
    }

    /**
     * Returns what was tried.
     *
     * @return words for a person
     */
    public String operation() {
        return operation;
    }

    @Override
    public String advice() {
        return "Look at the host: does the file exist, may it be accessed, is its device healthy?";
    }
}
