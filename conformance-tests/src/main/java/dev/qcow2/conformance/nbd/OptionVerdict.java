package dev.qcow2.conformance.nbd;

/** How an option can be answered. Errors have the highest bit set. */
enum OptionVerdict {
    /** Done, or the end of a list. */
    ACK(1),
    /** One export of the list. */
    SERVER(2),
    /** One fact of the export. */
    INFO(3),
    /** One thing that block status can tell. */
    META_CONTEXT(4),
    /** The server does not know the option. */
    UNSUPPORTED(0x80000001),
    /** What the option carries makes no sense. */
    INVALID(0x80000003),
    /** There is no export of that name. */
    UNKNOWN(0x80000006),
    /** The server is about to end. */
    SHUTDOWN(0x80000007),
    /** The option carries too much. */
    TOO_BIG(0x80000009);

    private final int code;

    OptionVerdict(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
