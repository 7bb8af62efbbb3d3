package dev.qcow2.conformance.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.conformance.nbd.NbdServer.Life;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a server begins and ends. */
@Timeout(120)
class ServerLifeTest {

    @Test
    @DisplayName("The server ends with its last client; one that only asked what there is does not count")
    void endsWithLastClient() throws IOException {
        ArrayDisk disk = new ArrayDisk(1);
        try (RunningServer server = new RunningServer(disk, new Life(2, false))) {
            try (NbdClient curious = new NbdClient(server.path())) {
                curious.greet(3);
                curious.option(2, new byte[0]);
                curious.expectAck();
                assertThat(curious.ended()).isTrue();
            }
            NbdClient first = server.client();
            NbdClient second = server.client();
            first.close();
            assertThat(second.result(NbdClient.FLUSH, 0, 0, 0)).isZero();
            assertThat(server.hasEnded()).isFalse();
            second.request(NbdClient.DISCONNECT, 0, 0, 0);
            server.awaitEnd();
            second.close();
            assertThat(disk.closed()).isTrue();
        }
    }

    @Test
    @DisplayName("One client more than allowed waits until another leaves")
    void waitsForRoom() throws IOException, InterruptedException {
        try (RunningServer server = new RunningServer(new ArrayDisk(1), new Life(1, true))) {
            NbdClient first = server.client();
            Thread second = new Thread(() -> {
                try (NbdClient client = server.client()) {
                    assertThat(client.size()).isEqualTo(ArrayDisk.SIZE);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            second.start();
            second.join(300);
            assertThat(second.isAlive()).isTrue();
            first.close();
            second.join(30_000);
            assertThat(second.isAlive()).isFalse();
        }
    }

    @Test
    @DisplayName("Requests that are under way when the server is told to end are answered, and then the disk is closed")
    void finishesWhatIsUnderWay() throws IOException, InterruptedException {
        ArrayDisk disk = new ArrayDisk(3);
        try (RunningServer server = new RunningServer(disk, new Life(2, true));
                NbdClient client = server.client()) {
            for (int i = 0; i < 3; i++) {
                client.request(NbdClient.READ, 0, ArrayDisk.SLOW_AT, 512);
            }
            assertThat(disk.awaitWaiters()).isTrue();
            server.stop();
            Thread.sleep(200);
            assertThat(disk.closed()).isFalse();
            disk.openGate();
            for (int i = 0; i < 3; i++) {
                assertThat(client.chunk().error()).isZero();
            }
            assertThat(client.ended()).isTrue();
            server.awaitEnd();
            assertThat(disk.closed()).isTrue();
        }
    }

    @Test
    @DisplayName("A socket that exists and a port in use are refused with what is wrong, and the file stays")
    void placesThatAreTaken() throws IOException {
        Path path = Files.createTempFile("nbd", "s");
        assertThatThrownBy(() -> ServedSocket.open(ListenAddress.unix(path)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContaining("Address already in use")
                .hasMessageContaining("the file exists");
        assertThat(path).exists();
        Files.delete(path);
        try (ServerSocketChannel taken =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            int port = ((InetSocketAddress) taken.getLocalAddress()).getPort();
            assertThatThrownBy(() -> ServedSocket.open(ListenAddress.tcp("127.0.0.1", port)))
                    .hasMessageContaining("127.0.0.1:" + port)
                    .hasMessageContaining("Address already in use");
        }
        assertThatThrownBy(() -> ServedSocket.open(ListenAddress.unix(Path.of("/" + "x".repeat(200)))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Failed to listen on /xxx");
    }
}
