package dev.qcow2.conformance.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.nbd.NbdServer.Life;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client may say before it uses the disk, and what it hears if that makes no sense. */
@Timeout(120)
class HandshakeTest {

    private static final int EXPORT_NAME = 1;
    private static final int ABORT = 2;
    private static final int LIST = 3;
    private static final int STARTTLS = 5;
    private static final int INFO = 6;
    private static final int GO = 7;
    private static final int STRUCTURED = 8;
    private static final int LIST_CONTEXTS = 9;
    private static final int SET_CONTEXTS = 10;
    private static final byte[] NOTHING = {};

    private RunningServer server = start();

    private static RunningServer start() {
        try {
            return new RunningServer(
                    new ArrayDisk(1), new Life(8, true), Export.Trait.SEVERAL_CLIENTS, Export.Trait.ALLOCATION_DEPTH);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @BeforeEach
    void fresh() throws IOException {
        if (server.hasEnded()) {
            server = start();
        }
    }

    @AfterEach
    void end() throws IOException {
        server.close();
    }

    private NbdClient greeted() throws IOException {
        NbdClient client = new NbdClient(server.path());
        client.greet(3);
        return client;
    }

    private static int verdict(NbdClient client, int option, byte[] data) throws IOException {
        client.option(option, data);
        NbdClient.OptionAnswer answer = client.answer();
        assertThat(answer.option()).isEqualTo(option);
        return answer.kind();
    }

    @Test
    @DisplayName("What is not known is refused, its data skipped, and the talk goes on")
    void unknownOption() throws IOException {
        try (NbdClient client = greeted()) {
            assertThat(verdict(client, 77, new byte[1000])).isEqualTo(NbdClient.ERR_UNSUP);
            assertThat(verdict(client, STARTTLS, NOTHING)).isEqualTo(NbdClient.ERR_UNSUP);
            assertThat(verdict(client, STRUCTURED, NOTHING)).isEqualTo(NbdClient.ACK);
        }
    }

    @Test
    @DisplayName("The list has the export with its description")
    void list() throws IOException {
        try (NbdClient client = greeted()) {
            client.option(LIST, NOTHING);
            ByteBuffer entry = client.answer().buffer();
            assertThat(entry.getInt()).isEqualTo(RunningServer.NAME.length());
            assertThat(StandardCharsets.UTF_8.decode(entry).toString()).isEqualTo(RunningServer.NAME + "for tests");
            client.expectAck();
            assertThat(verdict(client, LIST, new byte[1])).isEqualTo(NbdClient.ERR_INVALID);
        }
    }

    @Test
    @DisplayName("INFO tells size, flags, block sizes, and name and description if asked; GO does so and goes on")
    void info() throws IOException {
        try (NbdClient client = greeted()) {
            client.option(INFO, NbdClient.export(RunningServer.NAME, 1, 2, 3));
            ByteBuffer facts = client.answer().buffer();
            assertThat(facts.getShort()).isZero();
            assertThat(facts.getLong()).isEqualTo(ArrayDisk.SIZE);
            // Flags: has flags, flush, FUA, trim, write zeroes, DF, several clients, cache, fast zero.
            assertThat(facts.getShort()).isEqualTo((short) (1 | 4 | 8 | 32 | 64 | 128 | 256 | 1024 | 2048));
            ByteBuffer sizes = client.answer().buffer();
            assertThat(sizes.getShort()).isEqualTo((short) 3);
            assertThat(new int[] {sizes.getInt(), sizes.getInt(), sizes.getInt()})
                    .containsExactly(1, 4096, 32 << 20);
            assertThat(client.answer().data()).endsWith(RunningServer.NAME.getBytes(StandardCharsets.UTF_8));
            assertThat(client.answer().data()).endsWith("for tests".getBytes(StandardCharsets.UTF_8));
            client.expectAck();
            assertThat(verdict(client, INFO, NbdClient.export("other"))).isEqualTo(NbdClient.ERR_UNKNOWN);
            assertThat(verdict(client, GO, NbdClient.export("other"))).isEqualTo(NbdClient.ERR_UNKNOWN);
        }
    }

    @Test
    @DisplayName("Lengths inside an option that don't add up are invalid")
    void malformed() throws IOException {
        byte[][] wrong = {
            NOTHING,
            {0, 0, 0},
            {0, 0, 0, 9, 'a', 0, 0},
            {-1, -1, -1, -1, 'a', 0, 0},
            {0, 0, 0, 1, 'a', 0, 5, 0, 1},
            {0, 0, 0, 1, 'a', 0, 0, 7},
        };
        byte[][] wrongContexts = {
            NOTHING,
            {0, 0, 0, 1, 'a', 0, 0, 0, 9},
            {0, 0, 0, 1, 'a', -1, -1, -1, -1},
            {0, 0, 0, 1, 'a', 0, 0, 0, 1, 0, 0, 0, 9, 'b'},
            {0, 0, 0, 1, 'a', 0, 0, 0, 0, 7},
        };
        try (NbdClient client = greeted()) {
            for (byte[] data : wrong) {
                assertThat(verdict(client, GO, data)).isEqualTo(NbdClient.ERR_INVALID);
                assertThat(verdict(client, INFO, data)).isEqualTo(NbdClient.ERR_INVALID);
            }
            assertThat(verdict(client, STRUCTURED, new byte[3])).isEqualTo(NbdClient.ERR_INVALID);
            assertThat(verdict(client, STRUCTURED, NOTHING)).isEqualTo(NbdClient.ACK);
            for (byte[] data : wrongContexts) {
                assertThat(verdict(client, SET_CONTEXTS, data)).isEqualTo(NbdClient.ERR_INVALID);
            }
        }
    }

    @Test
    @DisplayName("An option that is too big is skipped and refused; one beyond all measure ends the connection")
    void oversized() throws IOException {
        try (NbdClient client = greeted()) {
            assertThat(verdict(client, GO, new byte[1 << 20])).isEqualTo(NbdClient.ERR_TOO_BIG);
            assertThat(verdict(client, STRUCTURED, NOTHING)).isEqualTo(NbdClient.ACK);
            client.raw(ByteBuffer.allocate(16)
                    .putLong(0x49484156454f5054L)
                    .putInt(GO)
                    .putInt(-1)
                    .array());
            assertThat(client.ended()).isTrue();
        }
        assertThat(server.log()).anyMatch(line -> line.contains("option of 4294967295 bytes"));
    }

    @Test
    @DisplayName("Contexts are listed by name and name space, and chosen by name only")
    void contexts() throws IOException {
        try (NbdClient client = greeted()) {
            assertThat(verdict(client, LIST_CONTEXTS, NbdClient.contexts(RunningServer.NAME)))
                    .isEqualTo(NbdClient.ERR_INVALID);
            assertThat(verdict(client, STRUCTURED, NOTHING)).isEqualTo(NbdClient.ACK);
            client.option(LIST_CONTEXTS, NbdClient.contexts(RunningServer.NAME));
            assertThat(client.answer().data()).endsWith("base:allocation".getBytes(StandardCharsets.UTF_8));
            assertThat(client.answer().data()).endsWith("qemu:allocation-depth".getBytes(StandardCharsets.UTF_8));
            client.expectAck();
            client.option(LIST_CONTEXTS, NbdClient.contexts(RunningServer.NAME, "base:", "unheard:of"));
            assertThat(client.answer().data()).endsWith("base:allocation".getBytes(StandardCharsets.UTF_8));
            client.expectAck();
            client.option(SET_CONTEXTS, NbdClient.contexts(RunningServer.NAME, "base:", "unheard:of"));
            client.expectAck();
            assertThat(verdict(client, SET_CONTEXTS, NbdClient.contexts("other", "base:allocation")))
                    .isEqualTo(NbdClient.ERR_UNKNOWN);
        }
    }

    @Test
    @DisplayName(
            "The old way to choose an export: 124 zeros of padding unless agreed otherwise, and no answer to a wrong name")
    void exportName() throws IOException {
        byte[] name = RunningServer.NAME.getBytes(StandardCharsets.UTF_8);
        for (int flags : new int[] {1, 3}) {
            try (NbdClient client = new NbdClient(server.path())) {
                client.greet(flags);
                client.option(EXPORT_NAME, name);
                assertThat(ByteBuffer.wrap(client.bytes(8)).getLong()).isEqualTo(ArrayDisk.SIZE);
                client.bytes(2);
                if (flags == 1) {
                    assertThat(client.bytes(124)).containsOnly(0);
                }
                client.request(NbdClient.FLUSH, 0, 0, 0);
                assertThat(client.chunk().kind()).isEqualTo(-1);
            }
        }
        try (NbdClient client = greeted()) {
            client.option(EXPORT_NAME, "x\u001b[2J".getBytes(StandardCharsets.UTF_8));
            assertThat(client.ended()).isTrue();
        }
        assertThat(server.log()).anyMatch(line -> line.contains("no export \"x?[2J\""));
    }

    @Test
    @DisplayName("Who says something that is no option, or wants what was not offered, is dropped")
    void garbage() throws IOException {
        try (NbdClient client = greeted()) {
            client.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            assertThat(client.ended()).isTrue();
        }
        try (NbdClient client = new NbdClient(server.path())) {
            client.greet(255);
            assertThat(client.ended()).isTrue();
        }
        try (NbdClient client = greeted()) {
            client.option(ABORT, NOTHING);
            client.expectAck();
            assertThat(client.ended()).isTrue();
        }
        Path path = server.path();
        NbdClient.ready(path, RunningServer.NAME).close();
    }
}
