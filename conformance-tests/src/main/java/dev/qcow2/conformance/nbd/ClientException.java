package dev.qcow2.conformance.nbd;

import java.io.IOException;

/** The client broke the protocol, or went away in the middle of a message: its connection is over, and no other. */
final class ClientException extends IOException {

    private static final long serialVersionUID = 1L;

    ClientException(String message) {
        super(message);
    }
}
