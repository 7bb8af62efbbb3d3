package dev.qcow2.conformance.nbd;

import dev.qcow2.conformance.nbd.Performer.Refusal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the requests of one client and hands them to the workers, until the client leaves.
 */
final class Transmission {

    private static final ByteBuffer[] NOTHING = {};

    private final Wire wire;
    private final AnswerQueue answers;
    private final Performer performer;
    private final boolean structured;
    private final Memory.Share memory;
    private final Executor workers;
    private final Consumer<String> log;
    private final Semaphore slots = new Semaphore(Limits.MAX_REQUESTS);

    /**
     * Makes the transmission of one client.
     *
     * @param wire to the client
     * @param answers on their way out
     * @param agreement what the handshake has come to
     * @param surroundings what all clients share
     */
    Transmission(Wire wire, AnswerQueue answers, Handshake.Agreement agreement, Surroundings surroundings) {
        this.wire = wire;
        this.answers = answers;
        this.performer = new Performer(surroundings.export(), agreement);
        this.structured = agreement.structured();
        this.memory = surroundings.memory().share();
        this.workers = surroundings.workers();
        this.log = surroundings.log();
    }

    /**
     * What all clients share.
     *
     * @param export the disk
     * @param memory for payload
     * @param workers perform requests
     * @param log takes what people should know
     */
    record Surroundings(Export export, Memory memory, Executor workers, Consumer<String> log) {}

    /**
     * Returns when the client has left and all its requests are done with.
     *
     * @throws ClientException if the client broke the protocol
     */
    void run() throws IOException {
        try {
            while (wire.await(CommandHeader.BYTES)) {
                CommandHeader request = CommandHeader.decode(wire.next(CommandHeader.BYTES));
                if (Command.of(request.command())
                        .filter(Command.DISCONNECT::equals)
                        .isPresent()) {
                    return;
                }
                // Too many at once wait in the client's socket.
                slots.acquireUninterruptibly();
                take(request);
            }
        } finally {
            slots.acquireUninterruptibly(Limits.MAX_REQUESTS);
        }
    }

    private void take(CommandHeader request) throws IOException {
        boolean handedOver = false;
        Memory.@Nullable Lease lease = null;
        try {
            Optional<Refusal> objection = performer.objection(request);
            if (objection.isPresent()) {
                // The stream goes on behind the payload, however long it is.
                wire.skip(request.payloadBytes());
                Answer answer = new Answer(structured, request.cookie())
                        .refuse(objection.get().error(), objection.get().reason());
                handedOver = true;
                answers.send(answer.buffers(), slots::release);
                return;
            }
            boolean write = request.command() == CommandHeader.WRITE;
            if (write || Command.of(request.command()).orElseThrow() == Command.READ) {
                lease = memory.take((int) request.length());
            }
            if (lease != null && write) {
                wire.read(lease.buffer());
                lease.buffer().flip();
            }
            Memory.Lease payload = lease;
            workers.execute(() -> perform(request, payload));
            handedOver = true;
        } finally {
            if (!handedOver) {
                finish(lease);
            }
        }
    }

    private void perform(CommandHeader request, Memory.@Nullable Lease lease) {
        ByteBuffer[] buffers = NOTHING;
        try {
            ByteBuffer payload = lease == null ? ByteBuffer.allocate(0) : lease.buffer();
            buffers = performer.perform(request, payload).buffers();
        } catch (RuntimeException | Error e) {
            // An error of this program: one request fails, and people hear of it.
            log.accept("error in " + request + ": " + e);
            buffers = new Answer(structured, request.cookie())
                    .refuse(NbdError.IO, "internal error: " + e)
                    .buffers();
        } finally {
            answers.send(buffers, () -> finish(lease));
        }
    }

    private void finish(Memory.@Nullable Lease lease) {
        if (lease != null) {
            lease.release();
        }
        slots.release();
    }
}
