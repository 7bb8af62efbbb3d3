package dev.qcow2.conformance.nbd;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An answer to a request, in one of two forms. The simple one:
 *
 * <table>
 * <caption>From the server</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>4</td><td>0x67446698</td></tr>
 * <tr><td>4</td><td>4</td><td>error, see {@link NbdError}; 0 is none</td></tr>
 * <tr><td>8</td><td>8</td><td>cookie of the request</td></tr>
 * <tr><td>16</td><td></td><td>the bytes of a read that went well</td></tr>
 * </table>
 *
 * <p>The structured one is made of chunks:
 *
 * <table>
 * <caption>From the server, if structured replies were agreed on</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>4</td><td>0x668e33ef</td></tr>
 * <tr><td>4</td><td>2</td><td>bit 0: the last chunk of the answer</td></tr>
 * <tr><td>6</td><td>2</td><td>kind of chunk</td></tr>
 * <tr><td>8</td><td>8</td><td>cookie of the request</td></tr>
 * <tr><td>16</td><td>4</td><td>length of what follows</td></tr>
 * <tr><td>20</td><td></td><td>kind 0: nothing</td></tr>
 * <tr><td>20</td><td></td><td>kind 1: 8 bytes offset, data</td></tr>
 * <tr><td>20</td><td></td><td>kind 2, zeros: 8 bytes offset, 4 bytes length</td></tr>
 * <tr><td>20</td><td></td><td>kind 5, block status: 4 bytes number of the context, then for each extent 4 bytes length and 4 bytes
 *     flags</td></tr>
 * <tr><td>20</td><td></td><td>kind 32769, error: 4 bytes error, 2 bytes length of the sentence, sentence</td></tr>
 * </table>
 */
final class Answer {

    private static final int SIMPLE_MAGIC = 0x67446698;
    private static final int SIMPLE_BYTES = 16;
    private static final int CHUNK_MAGIC = 0x668e33ef;
    private static final int CHUNK_BYTES = 20;
    private static final int DONE_OFFSET = 5;
    private static final short NONE = 0;
    private static final short DATA = 1;
    private static final short HOLE = 2;
    private static final short BLOCK_STATUS = 5;
    private static final short ERROR = (short) 32769;

    /**
     * An extent of block status.
     *
     * @param length bytes
     * @param flags what the context says of it
     */
    record Extent(long length, int flags) {}

    private final boolean structured;
    private final long cookie;
    private final List<ByteBuffer> buffers = new ArrayList<>();
    private int lastChunk = -1;

    /**
     * Starts an answer.
     *
     * @param structured whether chunks were agreed on
     * @param cookie of the request
     */
    Answer(boolean structured, long cookie) {
        this.structured = structured;
        this.cookie = cookie;
    }

    boolean structured() {
        return structured;
    }

    /** All went well, and there is nothing more to say. */
    Answer done() {
        if (structured) {
            chunk(NONE, 0, 0);
        } else {
            simple(0);
        }
        return this;
    }

    /** It did not go well; what was added before is dropped. */
    Answer refuse(NbdError error, String reason) {
        buffers.clear();
        if (structured) {
            byte[] text = reason.getBytes(StandardCharsets.UTF_8);
            byte[] sentence = Arrays.copyOf(text, Math.min(text.length, Limits.MAX_TEXT_BYTES));
            int length = Integer.BYTES + Short.BYTES + sentence.length;
            chunk(ERROR, length, length)
                    .putInt(error.code())
                    .putShort((short) sentence.length)
                    .put(sentence)
                    .flip();
        } else {
            simple(error.code());
        }
        return this;
    }

    private void simple(int error) {
        buffers.add(ByteBuffer.allocate(SIMPLE_BYTES)
                .putInt(SIMPLE_MAGIC)
                .putInt(error)
                .putLong(cookie)
                .flip());
    }

    /** Adds the bytes of a read; without chunks there is one call for all of them. */
    void data(long offset, ByteBuffer bytes) {
        if (structured) {
            chunk(DATA, Long.BYTES, Long.BYTES + bytes.remaining())
                    .putLong(offset)
                    .flip();
        } else {
            simple(0);
        }
        buffers.add(bytes);
    }

    /** Adds a part of a read that is all zeros. */
    void hole(long offset, int length) {
        int bytes = Long.BYTES + Integer.BYTES;
        chunk(HOLE, bytes, bytes).putLong(offset).putInt(length).flip();
    }

    /** Adds what block status tells of one context. */
    void extents(Context context, List<Extent> extents) {
        int bytes = Integer.BYTES + extents.size() * 2 * Integer.BYTES;
        ByteBuffer chunk = chunk(BLOCK_STATUS, bytes, bytes).putInt(context.id());
        for (Extent extent : extents) {
            chunk.putInt((int) extent.length()).putInt(extent.flags());
        }
        chunk.flip();
    }

    /** Adds the head of a chunk, with room for more; the buffer is complete when nothing follows. */
    private ByteBuffer chunk(short kind, int room, int payloadBytes) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES + room)
                .putInt(CHUNK_MAGIC)
                .putShort((short) 0)
                .putShort(kind)
                .putLong(cookie)
                .putInt(payloadBytes);
        lastChunk = buffers.size();
        buffers.add(chunk);
        if (room == 0) {
            chunk.flip();
        }
        return chunk;
    }

    /** Returns what goes over the wire; the last chunk is marked as such. */
    ByteBuffer[] buffers() {
        if (structured) {
            buffers.get(lastChunk).put(DONE_OFFSET, (byte) 1);
        }
        return buffers.toArray(ByteBuffer[]::new);
    }
}
