package dev.qcow2.conformance.nbd;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * An answer to an option.
 *
 * <table>
 * <caption>From the server</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>8</td><td>0x3e889045565a9</td></tr>
 * <tr><td>8</td><td>4</td><td>the option that is answered</td></tr>
 * <tr><td>12</td><td>4</td><td>kind of answer, see {@link OptionVerdict}</td></tr>
 * <tr><td>16</td><td>4</td><td>length of what follows</td></tr>
 * <tr><td>20</td><td></td><td>for errors: a sentence</td></tr>
 * </table>
 */
final class OptionReply {

    private static final long MAGIC = 0x3e889045565a9L;
    private static final int HEAD_BYTES = 20;

    /** Facts of an export: size and flags. */
    private static final short INFO_EXPORT = 0;
    /** Its name as the server knows it. */
    private static final short INFO_NAME = 1;
    /** What people should know of it. */
    private static final short INFO_DESCRIPTION = 2;
    /** Which lengths of requests it takes. */
    private static final short INFO_BLOCK_SIZE = 3;

    private OptionReply() {}

    static ByteBuffer of(int option, OptionVerdict verdict, byte[] data) {
        return ByteBuffer.allocate(HEAD_BYTES + data.length)
                .putLong(MAGIC)
                .putInt(option)
                .putInt(verdict.code())
                .putInt(data.length)
                .put(data)
                .flip();
    }

    static ByteBuffer acknowledge(int option) {
        return of(option, OptionVerdict.ACK, new byte[0]);
    }

    static ByteBuffer refuse(int option, OptionVerdict verdict, String reason) {
        return of(option, verdict, reason.getBytes(StandardCharsets.UTF_8));
    }

    /** One entry of the list: length of the name, name, description. */
    static ByteBuffer server(int option, Export export) {
        byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
        byte[] description = export.description().getBytes(StandardCharsets.UTF_8);
        byte[] data = ByteBuffer.allocate(Integer.BYTES + name.length + description.length)
                .putInt(name.length)
                .put(name)
                .put(description)
                .array();
        return of(option, OptionVerdict.SERVER, data);
    }

    /** 2 bytes kind, 8 bytes size, 2 bytes flags. */
    static ByteBuffer export(int option, Export export) {
        byte[] data = ByteBuffer.allocate(12)
                .putShort(INFO_EXPORT)
                .putLong(export.sizeBytes())
                .putShort(export.flags())
                .array();
        return of(option, OptionVerdict.INFO, data);
    }

    /** 2 bytes kind, then smallest, preferred and largest length, 4 bytes each. */
    static ByteBuffer blockSize(int option) {
        byte[] data = ByteBuffer.allocate(14)
                .putShort(INFO_BLOCK_SIZE)
                .putInt(Limits.MIN_BLOCK_BYTES)
                .putInt(Limits.PREFERRED_BLOCK_BYTES)
                .putInt(Limits.MAX_PAYLOAD_BYTES)
                .array();
        return of(option, OptionVerdict.INFO, data);
    }

    static ByteBuffer name(int option, Export export) {
        return text(option, INFO_NAME, export.name());
    }

    static ByteBuffer description(int option, Export export) {
        return text(option, INFO_DESCRIPTION, export.description());
    }

    /** 2 bytes kind, text. */
    private static ByteBuffer text(int option, short kind, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        byte[] data = ByteBuffer.allocate(Short.BYTES + bytes.length)
                .putShort(kind)
                .put(bytes)
                .array();
        return of(option, OptionVerdict.INFO, data);
    }

    /** 4 bytes number by which block status will call it, text. */
    static ByteBuffer context(int option, Context context) {
        byte[] name = context.wireName().getBytes(StandardCharsets.UTF_8);
        byte[] data = ByteBuffer.allocate(Integer.BYTES + name.length)
                .putInt(context.id())
                .put(name)
                .array();
        return of(option, OptionVerdict.META_CONTEXT, data);
    }

    /**
     * The answer to EXPORT_NAME, which has neither head nor kind: 8 bytes size, 2 bytes flags, 124 zeros unless the client can do without.
     */
    static ByteBuffer toExportName(Export export, boolean padded) {
        ByteBuffer reply = ByteBuffer.allocate(padded ? 134 : 10);
        return reply.putLong(export.sizeBytes()).putShort(export.flags()).rewind();
    }
}
