package dev.qcow2.conformance.nbd;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What LIST_META_CONTEXT and SET_META_CONTEXT carry.
 *
 * <table>
 * <caption>From the client</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>4</td><td>length n of the name</td></tr>
 * <tr><td>4</td><td>n</td><td>name of the export</td></tr>
 * <tr><td>4 + n</td><td>4</td><td>number of queries</td></tr>
 * <tr><td>8 + n</td><td>4</td><td>length m of the query</td></tr>
 * <tr><td>12 + n</td><td>m</td><td>query, such as base:allocation</td></tr>
 * <tr><td></td><td></td><td>and so on for the other queries</td></tr>
 * </table>
 *
 * @param name of the export
 * @param queries in the order in which they were sent
 */
record ContextQuestion(String name, List<String> queries) {

    /** Returns empty if the lengths inside don't add up. */
    static Optional<ContextQuestion> decode(ByteBuffer data) {
        try {
            Optional<String> name = ExportQuestion.text(data);
            if (name.isEmpty()) {
                return Optional.empty();
            }
            long count = Integer.toUnsignedLong(data.getInt());
            List<String> queries = new ArrayList<>();
            // A query has at least its length, so a count that lies ends with the data.
            for (long i = 0; i < count; i++) {
                Optional<String> query = ExportQuestion.text(data);
                if (query.isEmpty()) {
                    return Optional.empty();
                }
                queries.add(query.get());
            }
            return data.hasRemaining() ? Optional.empty() : Optional.of(new ContextQuestion(name.get(), queries));
        } catch (BufferUnderflowException e) {
            return Optional.empty();
        }
    }

    /** Says whether a client that lists asks for this one: by name, by name space, or by asking for nothing at all. */
    boolean lists(Context context) {
        String space = context.wireName().substring(0, context.wireName().indexOf(':') + 1);
        return queries.isEmpty() || queries.contains(space) || queries.contains(context.wireName());
    }

    /** Says whether a client that chooses has chosen this one: only by name. */
    boolean chooses(Context context) {
        return queries.contains(context.wireName());
    }
}
