package dev.qcow2.spec.audit;

/** The image asks for more work or memory than the audit may spend. */
final class LimitReachedException extends Exception {

    private static final long serialVersionUID = 1L;

    LimitReachedException(String message) {
        super(message);
    }
}
