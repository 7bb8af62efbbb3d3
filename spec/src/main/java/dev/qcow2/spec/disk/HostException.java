package dev.qcow2.spec.disk;

/** The host is the reason: a file can't be opened, read, written, or has no room. */
public abstract sealed class HostException extends DiskException
        permits HostIoException, NoSpaceException, FileInUseException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal by the host.
     *
     * @param message what was tried on which file
     */
    protected HostException(String message) {
        super(message);
    }
}
