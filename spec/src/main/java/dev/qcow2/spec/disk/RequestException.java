package dev.qcow2.spec.disk;

/** The request is the reason: it asks for something that this open disk doesn't do. */
public abstract sealed class RequestException extends DiskException
        permits OutOfBoundsException,
                ReadOnlyException,
                DiskClosedException,
                NoSuchSnapshotException,
                RequestRefusedException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal of a request.
     *
     * @param message what was asked and why it is refused
     */
    protected RequestException(String message) {
        super(message);
    }
}
