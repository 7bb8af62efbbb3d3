package dev.qcow2.conformance.img;

/** The command line is wrong: the message is followed by a hint at the help. */
final class UsageException extends Exception {

    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
