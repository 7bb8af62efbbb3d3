package dev.qcow2.conformance.nbd;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** One client, from its greeting to its leave. */
final class Connection implements AutoCloseable {

    private final Wire wire;
    private final AnswerQueue answers;
    private final Transmission.Surroundings surroundings;
    private final long startedNanos = System.nanoTime();
    private volatile boolean agreed;

    Connection(SocketChannel channel, Transmission.Surroundings surroundings) {
        this.wire = new Wire(channel);
        this.answers = new AnswerQueue(wire);
        this.surroundings = surroundings;
    }

    /**
     * Serves the client until it leaves.
     *
     * @return true if it has used the disk, false if it only asked about it
     */
    boolean serve() {
        try {
            Optional<Handshake.Agreement> agreement = new Handshake(wire, surroundings.export()).run();
            if (agreement.isPresent()) {
                agreed = true;
                new Transmission(wire, answers, agreement.get(), surroundings).run();
            }
        } catch (ClientException e) {
            surroundings.log().accept("client dropped: " + e.getMessage());
        } catch (IOException e) {
            // The connection is gone, by the client's will or by ours.
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            surroundings.log().accept("client gone: " + reason);
        } finally {
            close();
        }
        return agreed;
    }

    /** Takes nothing more from the client; what is under way is answered. */
    void endInput() {
        try {
            wire.endInput();
        } catch (IOException e) {
            close();
        }
    }

    /** Says whether the client keeps the server waiting for longer than anybody needs. */
    boolean overdue() {
        long handshake = agreed ? 0 : System.nanoTime() - startedNanos;
        return handshake > Limits.HANDSHAKE_TIME.toNanos() || answers.stalledNanos() > Limits.STALL_TIME.toNanos();
    }

    @Override
    public void close() {
        try {
            wire.close();
        } catch (IOException e) {
            surroundings.log().accept("closing a connection: " + e.getMessage());
        }
    }
}
