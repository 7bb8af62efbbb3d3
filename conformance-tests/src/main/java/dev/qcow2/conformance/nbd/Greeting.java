package dev.qcow2.conformance.nbd;

import java.nio.ByteBuffer;

/**
 * The first words.
 *
 * <table>
 * <caption>The server's, then the client's</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>8</td><td>NBDMAGIC</td></tr>
 * <tr><td>8</td><td>8</td><td>IHAVEOPT</td></tr>
 * <tr><td>16</td><td>2</td><td>flags: bit 0 fixed newstyle, bit 1 no padding after an export name</td></tr>
 * <tr><td>0</td><td>4</td><td>the client's choice of the same flags</td></tr>
 * </table>
 */
final class Greeting {

    /** Every option and its answer has a length, so that what is not known can be skipped. */
    static final int FIXED_NEWSTYLE = 1;
    /** The 124 zeros after the answer to EXPORT_NAME can be left out. */
    static final int NO_ZEROES = 2;

    static final long NBD_MAGIC = 0x4e42444d41474943L;
    static final long OPTION_MAGIC = 0x49484156454f5054L;

    static final int CLIENT_BYTES = 4;

    private Greeting() {}

    static ByteBuffer encode() {
        return ByteBuffer.allocate(18)
                .putLong(NBD_MAGIC)
                .putLong(OPTION_MAGIC)
                .putShort((short) (FIXED_NEWSTYLE | NO_ZEROES))
                .flip();
    }

    /** Says which of the flags the client has chosen. */
    static int decode(ByteBuffer from) throws ClientException {
        int flags = from.getInt();
        if ((flags & ~(FIXED_NEWSTYLE | NO_ZEROES)) != 0) {
            throw new ClientException("handshake flags 0x" + Integer.toHexString(flags) + " that were not offered");
        }
        return flags;
    }
}
