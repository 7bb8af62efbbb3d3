package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;

/** Ends a sequence: somebody is not as it should be. */
final class Objection extends Exception {

    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final String subject;

    Objection(Kind kind, String subject, String message) {
        super(message);
        this.kind = kind;
        this.subject = subject;
    }

    Kind kind() {
        return kind;
    }

    String subject() {
        return subject;
    }
}
