package dev.qcow2.conformance.nbd;

import java.time.Duration;

/** What a client can make the server do or hold at most. */
final class Limits {

    /** Requests need no alignment. */
    static final int MIN_BLOCK_BYTES = 1;
    /** What most file systems on the disk use. */
    static final int PREFERRED_BLOCK_BYTES = 4096;
    /** Every client may send this much at once, says the protocol; more is refused. */
    static final int MAX_PAYLOAD_BYTES = 32 << 20;
    /** Longest text, says the protocol. */
    static final int MAX_TEXT_BYTES = 4096;
    /** More than any option needs: a name and a hundred queries. */
    static final int MAX_OPTION_BYTES = 512 << 10;
    /** A client that asks more than this is not about to use the disk. */
    static final int MAX_OPTIONS = 1000;
    /** Clients at the same time, where the user sets no limit. */
    static final int MAX_CLIENTS = 64;
    /** Requests of one client at the same time; more wait in its socket. */
    static final int MAX_REQUESTS = 128;
    /** Requests of all clients that are performed at the same time, at least. */
    static final int WORKERS = 16;
    /** Extents of one answer to block status; the client asks again for what is missing. */
    static final int MAX_EXTENTS = 8192;
    /** How far block status looks ahead at once. */
    static final long STATUS_WINDOW_BYTES = 64 << 20;
    /** Reads that are shorter are not worth a look for holes. */
    static final int HOLES_FROM_BYTES = 64 << 10;
    /** A shorter hole is sent as zeros. */
    static final int MIN_HOLE_BYTES = 4096;
    /** A client says what it wants within this time, or goes. */
    static final Duration HANDSHAKE_TIME = Duration.ofSeconds(30);
    /** A client takes some of its answer within this time, or goes. */
    static final Duration STALL_TIME = Duration.ofMinutes(5);
    /** At the end of the server, requests under way have this long. */
    static final Duration GRACE_TIME = Duration.ofSeconds(10);

    private Limits() {}
}
