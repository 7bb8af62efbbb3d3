package dev.qcow2.conformance.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A connection as a stream of messages; one thread reads, and one at a time writes. */
final class Wire implements AutoCloseable {

    // Many small requests come in with one call to the host.
    private static final int INPUT_BYTES = 64 << 10;

    private final SocketChannel channel;
    private final ByteBuffer input = ByteBuffer.allocateDirect(INPUT_BYTES).flip();

    Wire(SocketChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits for the start of a message.
     *
     * @param bytes of it, at most the size of the buffer
     * @return false if the client has ended the stream before its first byte
     * @throws ClientException if the stream ends in the middle
     */
    boolean await(int bytes) throws IOException {
        while (input.remaining() < bytes) {
            input.compact();
            int step;
            try {
                step = channel.read(input);
            } finally {
                input.flip();
            }
            if (step < 0) {
                if (input.hasRemaining()) {
                    throw cutOff();
                }
                return false;
            }
        }
        return true;
    }

    /** Returns the next bytes, which were awaited; valid until the next call. */
    ByteBuffer next(int bytes) throws IOException {
        if (!await(bytes)) {
            throw cutOff();
        }
        ByteBuffer message = input.slice(input.position(), bytes);
        input.position(input.position() + bytes);
        return message;
    }

    /** Fills a buffer up to its limit. */
    void read(ByteBuffer into) throws IOException {
        int buffered = Math.min(input.remaining(), into.remaining());
        into.put(input.slice(input.position(), buffered));
        input.position(input.position() + buffered);
        while (into.hasRemaining()) {
            if (channel.read(into) < 0) {
                throw cutOff();
            }
        }
    }

    /** Reads bytes that nobody wants. */
    void skip(long bytes) throws IOException {
        long left = bytes;
        while (left > 0) {
            int step = (int) Math.min(left, INPUT_BYTES);
            if (!input.hasRemaining() && !await(1)) {
                throw cutOff();
            }
            step = Math.min(step, input.remaining());
            input.position(input.position() + step);
            left -= step;
        }
    }

    private static ClientException cutOff() {
        return new ClientException("the client went away in the middle of a message");
    }

    void write(ByteBuffer... buffers) throws IOException {
        ByteBuffer last = buffers[buffers.length - 1];
        int first = 0;
        while (last.hasRemaining() || first < buffers.length - 1) {
            while (first < buffers.length - 1 && !buffers[first].hasRemaining()) {
                first++;
            }
            channel.write(buffers, first, buffers.length - first);
        }
    }

    /** Nothing more is taken from the client; answers still go out. */
    void endInput() throws IOException {
        channel.shutdownInput();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
