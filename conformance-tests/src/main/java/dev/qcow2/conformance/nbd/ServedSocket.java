package dev.qcow2.conformance.nbd;

import java.io.IOException;
import java.nio.channels.ServerSocketChannel;

/**
 * A socket that listens, together with its file: both are gone when it is closed.
 *
 * @param channel accepts clients
 * @param place where it listens
 */
record ServedSocket(ServerSocketChannel channel, ListenAddress place) implements AutoCloseable {

    static ServedSocket open(ListenAddress place) throws IOException {
        return new ServedSocket(place.listen(), place);
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            // The file is ours: the bind would have failed if it had been there before.
            place.remove();
        }
    }
}
