package dev.qcow2.spec.disk;

import java.io.IOException;

/**
 * The family of refusals. Anything that an image, a host or a guest request can cause is one of
 * these; other exceptions are errors of the program that calls.
 */
public abstract sealed class DiskException extends IOException permits ImageException, RequestException, HostException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal.
     *
     * @param message what happened, and where
     */
    protected DiskException(String message) {
        super(message);
    }

    /**
     * Says what the user can do about it.
     *
     * @return one sentence
     */
    public abstract String advice();
}
