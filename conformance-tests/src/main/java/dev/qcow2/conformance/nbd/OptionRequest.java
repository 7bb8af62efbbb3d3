package dev.qcow2.conformance.nbd;

import java.nio.ByteBuffer;

/**
 * The head of an option.
 *
 * <table>
 * <caption>From the client</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>8</td><td>IHAVEOPT</td></tr>
 * <tr><td>8</td><td>4</td><td>option, see {@link OptionKind}</td></tr>
 * <tr><td>12</td><td>4</td><td>length of what follows</td></tr>
 * </table>
 *
 * @param code which option
 * @param length bytes that follow, 0 to 2^32 - 1
 */
record OptionRequest(int code, long length) {

    static final int BYTES = 16;

    static OptionRequest decode(ByteBuffer from) throws ClientException {
        long magic = from.getLong();
        if (magic != Greeting.OPTION_MAGIC) {
            // Where the next message starts is not known any more.
            throw new ClientException("0x" + Long.toHexString(magic) + " where an option should start");
        }
        return new OptionRequest(from.getInt(), Integer.toUnsignedLong(from.getInt()));
    }
}
