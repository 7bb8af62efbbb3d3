package dev.qcow2.conformance.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.nbd.Export.Trait;
import dev.qcow2.conformance.nbd.NbdClient.Chunk;
import dev.qcow2.conformance.nbd.NbdServer.Life;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests, right and wrong. */
@Timeout(120)
class TransmissionTest {

    private static final Life LIFE = new Life(8, true);
    private static final int EPERM = 1;
    private static final int EIO = 5;
    private static final int EINVAL = 22;
    private static final int ENOSPC = 28;
    private static final int ENOTSUP = 95;
    private static final int LARGEST = 32 << 20;

    private static byte[] pattern(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (1 + i % 251);
        }
        return bytes;
    }

    @Test
    @DisplayName("A refused request leaves the connection usable, and its payload is skipped")
    void refusedRequests() throws IOException {
        try (RunningServer server = new RunningServer(new ArrayDisk(1), LIFE);
                NbdClient client = server.client()) {
            int size = ArrayDisk.SIZE;
            assertThat(client.result(NbdClient.READ, 0, size, 1)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.READ, 0, size - 1, 2)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.READ, 0, -1, 1)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.READ, 0, Long.MAX_VALUE, 1)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.READ, 0, 0, LARGEST + 1)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.READ, 0, 0, -1)).isEqualTo(EINVAL);
            assertThat(client.write(size - 1, new byte[2])).isEqualTo(ENOSPC);
            assertThat(client.write(0, new byte[LARGEST + 7])).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.WRITE_ZEROES, 0, size - 1, 2)).isEqualTo(ENOSPC);
            assertThat(client.result(NbdClient.TRIM, 0, 0, -1)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.WRITE_ZEROES, NbdClient.FAST_ZERO, 0, 4096))
                    .isEqualTo(ENOTSUP);
            assertThat(client.result(NbdClient.FLUSH, NbdClient.NO_HOLE, 0, 0)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.READ, 0x8000, 0, 1)).isEqualTo(EINVAL);
            assertThat(client.result(8, 0, 0, 1)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.BLOCK_STATUS, 0, 0, 0)).isEqualTo(EINVAL);
            assertThat(client.read(0, 4)).containsOnly(0);
        }
    }

    @Test
    @DisplayName("Errors carry a sentence; an error of this program is an I/O error of one request")
    void errors() throws IOException {
        try (RunningServer server = new RunningServer(new ArrayDisk(1), LIFE);
                NbdClient client = server.client()) {
            client.request(NbdClient.READ, 0, ArrayDisk.BROKEN_AT, 512);
            Chunk chunk = client.chunk();
            assertThat(chunk.error()).isEqualTo(EIO);
            assertThat(chunk.text()).contains("request at " + ArrayDisk.BROKEN_AT);
            assertThat(client.write(ArrayDisk.FULL_AT, new byte[512])).isEqualTo(ENOSPC);
            assertThat(client.result(NbdClient.READ, 0, ArrayDisk.BUG_AT, 512)).isEqualTo(EIO);
            assertThat(server.log()).anyMatch(line -> line.contains("seeded"));
            assertThat(client.result(NbdClient.FLUSH, 0, 0, 0)).isZero();
        }
    }

    @Test
    @DisplayName("Without chunks errors are numbers, and data follows the head")
    void simpleReplies() throws IOException {
        ArrayDisk disk = new ArrayDisk(1);
        try (RunningServer server = new RunningServer(disk, LIFE);
                NbdClient client = NbdClient.simple(server.path(), RunningServer.NAME)) {
            assertThat(client.write(5, pattern(100))).isZero();
            client.request(NbdClient.READ, 0, 5, 100);
            assertThat(client.chunk().error()).isZero();
            assertThat(client.bytes(100)).isEqualTo(pattern(100));
            assertThat(client.result(NbdClient.READ, 0, ArrayDisk.BROKEN_AT, 512))
                    .isEqualTo(EIO);
            assertThat(client.result(NbdClient.BLOCK_STATUS, 0, 0, 512)).isEqualTo(EINVAL);
            assertThat(client.result(NbdClient.READ, 0, 0, 0)).isZero();
        }
    }

    @Test
    @DisplayName("An export that is read-only says so and refuses changes")
    void readOnly() throws IOException {
        try (RunningServer server = new RunningServer(new ArrayDisk(1), LIFE, Trait.READ_ONLY);
                NbdClient client = server.client()) {
            assertThat(client.flags() & 2).isEqualTo(2);
            assertThat(client.write(0, new byte[10])).isEqualTo(EPERM);
            assertThat(client.result(NbdClient.TRIM, 0, 0, 10)).isEqualTo(EPERM);
            assertThat(client.result(NbdClient.WRITE_ZEROES, 0, 0, 10)).isEqualTo(EPERM);
            assertThat(client.read(0, 10)).containsOnly(0);
        }
    }

    @Test
    @DisplayName("A write with FUA is flushed, one without is not; in write-through mode all are")
    void fua() throws IOException {
        ArrayDisk disk = new ArrayDisk(1);
        try (RunningServer server = new RunningServer(disk, LIFE, Trait.FAST_ZEROES);
                NbdClient client = server.client()) {
            assertThat(client.write(0, new byte[1])).isZero();
            assertThat(disk.flushes()).isZero();
            client.request(NbdClient.WRITE, NbdClient.FUA, 0, 1, new byte[1]);
            assertThat(client.chunk().error()).isZero();
            assertThat(client.result(NbdClient.TRIM, NbdClient.FUA, 0, 1)).isZero();
            assertThat(client.result(NbdClient.WRITE_ZEROES, NbdClient.FUA | NbdClient.FAST_ZERO, 0, 1))
                    .isZero();
            assertThat(disk.flushes()).isEqualTo(3);
            assertThat(client.result(NbdClient.FLUSH, 0, 0, 0)).isZero();
            assertThat(disk.flushes()).isEqualTo(4);
        }
        ArrayDisk safe = new ArrayDisk(1);
        try (RunningServer server = new RunningServer(safe, LIFE, Trait.WRITE_THROUGH);
                NbdClient client = server.client()) {
            assertThat(client.write(0, new byte[1])).isZero();
            assertThat(safe.flushes()).isEqualTo(1);
        }
    }

    @Test
    @DisplayName("A read of a hole brings no bytes, unless it must come in one piece")
    void holes() throws IOException {
        try (RunningServer server = new RunningServer(new ArrayDisk(1), LIFE);
                NbdClient client = server.client()) {
            byte[] data = pattern(10_000);
            assertThat(client.write(100_001, data)).isZero();
            client.request(NbdClient.READ, 0, 1, 300_000);
            List<Chunk> chunks = client.chunks();
            assertThat(chunks).extracting(Chunk::kind).containsExactly(2, 1, 2);
            byte[] seen = new byte[300_000];
            Arrays.fill(seen, (byte) 0xAA);
            chunks.forEach(chunk -> NbdClient.lay(chunk, 1, seen));
            byte[] expected = new byte[300_000];
            System.arraycopy(data, 0, expected, 100_000, data.length);
            assertThat(seen).isEqualTo(expected);
            client.request(NbdClient.READ, NbdClient.DF, 1, 300_000);
            List<Chunk> whole = client.chunks();
            assertThat(whole).extracting(Chunk::kind).containsExactly(1);
            NbdClient.lay(whole.get(0), 1, seen);
            assertThat(seen).isEqualTo(expected);
        }
    }

    @Test
    @DisplayName("Block status tells extents that join where they say the same; one only if only one is wanted")
    void blockStatus() throws IOException {
        try (RunningServer server = new RunningServer(new ArrayDisk(1), LIFE);
                NbdClient client = server.client()) {
            assertThat(client.write(8192, pattern(8192))).isZero();
            client.request(NbdClient.BLOCK_STATUS, 0, 4096, 100_000);
            assertThat(ints(client.chunk())).containsExactly(0, 4096, 3, 8192, 0, 87_712, 3);
            client.request(NbdClient.BLOCK_STATUS, NbdClient.REQ_ONE, 8292, 100_000);
            assertThat(ints(client.chunk())).containsExactly(0, 8092, 0);
        }
    }

    private static List<Integer> ints(Chunk chunk) {
        assertThat(chunk.kind()).isEqualTo(5);
        assertThat(chunk.last()).isTrue();
        List<Integer> ints = new ArrayList<>();
        for (ByteBuffer buffer = chunk.buffer(); buffer.hasRemaining(); ) {
            ints.add(buffer.getInt());
        }
        return ints;
    }

    @Test
    @DisplayName("16 requests of one client are under way at the same time, and others overtake them")
    void requestsInFlight() throws IOException, InterruptedException {
        ArrayDisk disk = new ArrayDisk(16);
        try (RunningServer server = new RunningServer(disk, LIFE);
                NbdClient client = server.client()) {
            for (int i = 0; i < 16; i++) {
                client.request(NbdClient.READ, 0, ArrayDisk.SLOW_AT, 512);
            }
            assertThat(disk.awaitWaiters()).isTrue();
            long overtaking = client.request(NbdClient.FLUSH, 0, 0, 0);
            assertThat(client.chunk().cookie()).isEqualTo(overtaking);
            disk.openGate();
            for (int i = 0; i < 16; i++) {
                assertThat(client.chunk().cookie()).isLessThan(overtaking);
            }
        }
    }

    @Test
    @DisplayName("A client that breaks the protocol or goes away in the middle of a request hurts only itself")
    void cutOff() throws IOException {
        ArrayDisk disk = new ArrayDisk(1);
        try (RunningServer server = new RunningServer(disk, LIFE);
                NbdClient bystander = server.client()) {
            try (NbdClient garbage = server.client()) {
                garbage.raw(new byte[28]);
                assertThat(garbage.ended()).isTrue();
            }
            try (NbdClient leaver = server.client()) {
                // Half of the payload, and good bye.
                leaver.request(NbdClient.WRITE, 0, 0, 8192, pattern(4096));
            }
            try (NbdClient leaver = server.client()) {
                leaver.raw(new byte[] {0x25, 0x60});
            }
            assertThat(bystander.write(4096, pattern(10))).isZero();
            assertThat(bystander.read(0, 4096)).containsOnly(0);
            bystander.request(NbdClient.DISCONNECT, 0, 0, 0);
            assertThat(bystander.ended()).isTrue();
            server.stop();
            server.awaitEnd();
            assertThat(server.log().stream().filter(line -> line.contains("in the middle of a message")))
                    .hasSize(2);
            assertThat(disk.at(0)).isZero();
        }
    }

    @Test
    @SuppressWarnings("try") // the server's end waits for this client, so it goes first
    @DisplayName("A client that takes no answers keeps nobody else from working")
    void clientThatDoesNotRead() throws IOException {
        ArrayDisk disk = new ArrayDisk(1);
        try (RunningServer server = new RunningServer(disk, LIFE);
                NbdClient deaf = server.client();
                NbdClient other = server.client()) {
            for (int i = 0; i < 200; i++) {
                deaf.request(NbdClient.READ, NbdClient.DF, 0, 1 << 19);
            }
            for (int i = 0; i < 50; i++) {
                assertThat(other.write(4096L * i, pattern(4096))).isZero();
                assertThat(other.read(4096L * i, 4096)).isEqualTo(pattern(4096));
            }
            deaf.close();
        }
        assertThat(disk.closed()).isTrue();
    }
}
