package dev.qcow2.conformance.nbd;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What INFO and GO carry.
 *
 * <table>
 * <caption>From the client</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>4</td><td>length n of the name</td></tr>
 * <tr><td>4</td><td>n</td><td>name of the export; none means the default</td></tr>
 * <tr><td>4 + n</td><td>2</td><td>number of facts asked for</td></tr>
 * <tr><td>6 + n</td><td>2 each</td><td>facts: 1 name, 2 description, 3 block sizes</td></tr>
 * </table>
 *
 * @param name of the export
 * @param facts asked for
 */
record ExportQuestion(String name, List<Integer> facts) {

    static final int FACT_NAME = 1;
    static final int FACT_DESCRIPTION = 2;

    /** Returns empty if the lengths inside don't add up. */
    static Optional<ExportQuestion> decode(ByteBuffer data) {
        try {
            Optional<String> name = text(data);
            if (name.isEmpty()) {
                return Optional.empty();
            }
            int count = Short.toUnsignedInt(data.getShort());
            if (data.remaining() != count * Short.BYTES) {
                return Optional.empty();
            }
            List<Integer> facts = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                facts.add(Short.toUnsignedInt(data.getShort()));
            }
            return Optional.of(new ExportQuestion(name.get(), facts));
        } catch (BufferUnderflowException e) {
            return Optional.empty();
        }
    }

    /** 4 bytes length, text; empty if it is longer than texts may be, or than what is there. */
    static Optional<String> text(ByteBuffer data) {
        long length = Integer.toUnsignedLong(data.getInt());
        if (length > Limits.MAX_TEXT_BYTES || length > data.remaining()) {
            return Optional.empty();
        }
        byte[] bytes = new byte[(int) length];
        data.get(bytes);
        return Optional.of(new String(bytes, StandardCharsets.UTF_8));
    }
}
