package dev.qcow2.conformance.nbd;

import java.nio.ByteBuffer;

/**
 * A request.
 *
 * <table>
 * <caption>From the client</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>4</td><td>0x25609513</td></tr>
 * <tr><td>4</td><td>2</td><td>flags</td></tr>
 * <tr><td>6</td><td>2</td><td>command, see {@link Command}</td></tr>
 * <tr><td>8</td><td>8</td><td>cookie, which the answer repeats</td></tr>
 * <tr><td>16</td><td>8</td><td>first byte of the range</td></tr>
 * <tr><td>24</td><td>4</td><td>length of the range; after a write, as many bytes follow</td></tr>
 * </table>
 *
 * @param flags of the request
 * @param command its number
 * @param cookie by which the client knows the answer
 * @param offset first byte of the range; unsigned, so one that is negative here is past every disk
 * @param length bytes of the range, 0 to 2^32 - 1
 */
record CommandHeader(int flags, int command, long cookie, long offset, long length) {

    static final int BYTES = 28;
    /** The answer to a write has no payload, but a write itself has. */
    static final int WRITE = 1;

    /** What was changed shall survive a power cut before the answer goes out. */
    static final int FUA = 1;
    /** Zeroed ranges keep their space. */
    static final int NO_HOLE = 1 << 1;
    /** The data of a read comes in one chunk. */
    static final int DONT_FRAGMENT = 1 << 2;
    /** Block status tells one extent, within the range. */
    static final int REQUEST_ONE = 1 << 3;
    /** Zeroing is refused if it would be no faster than a write. */
    static final int FAST_ZERO = 1 << 4;

    private static final int MAGIC = 0x25609513;

    static CommandHeader decode(ByteBuffer from) throws ClientException {
        int magic = from.getInt();
        if (magic != MAGIC) {
            // Where the next request starts is not known any more.
            throw new ClientException("0x" + Integer.toHexString(magic) + " where a request should start");
        }
        return new CommandHeader(
                Short.toUnsignedInt(from.getShort()),
                Short.toUnsignedInt(from.getShort()),
                from.getLong(),
                from.getLong(),
                Integer.toUnsignedLong(from.getInt()));
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Bytes that follow the header. */
    long payloadBytes() {
        return command == WRITE ? length : 0;
    }
}
