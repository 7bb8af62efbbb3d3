package dev.qcow2.conformance.nbd;

import java.util.Optional;
import java.util.stream.Stream;

/** What a client may ask during the handshake. What isn't here is answered with "unsupported". */
enum OptionKind {
    /** Go on with the export of that name; the only option whose answer has a form of its own, and no way to say no. */
    EXPORT_NAME(1),
    /** Thanks, that was all. */
    ABORT(2),
    /** Which exports are there? */
    LIST(3),
    /** What is the export of that name like? */
    INFO(6),
    /** As INFO, and go on with it. */
    GO(7),
    /** Answers may come in chunks. */
    STRUCTURED_REPLY(8),
    /** What can block status tell of the export of that name? */
    LIST_META_CONTEXT(9),
    /** Block status shall tell this. */
    SET_META_CONTEXT(10);

    private final int code;

    OptionKind(int code) {
        this.code = code;
    }

    static Optional<OptionKind> of(int code) {
        return Stream.of(values()).filter(kind -> kind.code == code).findFirst();
    }
}
