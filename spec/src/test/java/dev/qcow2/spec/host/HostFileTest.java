package dev.qcow2.spec.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The corners of the door to the host. */
class HostFileTest {

    @TempDir
    Path directory = Path.of("");

    @Test
    @DisplayName("QC-GUEST-07: a file opened read-only refuses every change")
    void readOnly() throws DiskException {
        MemoryHostDirectory memory = new MemoryHostDirectory();
        memory.create("file").write(0, ByteBuffer.allocate(3));
        RealHostDirectory real = new RealHostDirectory(directory);
        real.create("file").close();
        for (HostDirectory host : new HostDirectory[] {memory, real}) {
            try (HostFile file = host.open("file", Access.READ_ONLY)) {
                assertRefuses(() -> file.write(0, ByteBuffer.allocate(1)));
                assertRefuses(() -> file.truncate(100));
                assertRefuses(() -> file.truncate(0));
                assertRefuses(() -> file.zero(0, 10));
                assertRefuses(() -> file.punchHole(0, 10));
            }
        }
        assertThat(memory.content("file").toByteArray()).hasSize(3);
        try (HostFile file = real.open("file", Access.READ_ONLY)) {
            assertThat(file.size()).isZero();
        }
    }

    @Test
    @DisplayName("QC-GUEST-07: a file opened read-only for direct I/O refuses every change, also when it is closed")
    void readOnlyDirect() throws IOException {
        Path target = Path.of("target").toAbsolutePath();
        Path path = Files.createTempFile(target, "direct", ".img");
        HostDirectory direct =
                new RealHostDirectory(target, RealHostFile.Durability.NONE, RealHostDirectory.Caching.DIRECT);
        try {
            HostFile file = openDirect(direct, path.toString());
            assertRefuses(() -> file.write(0, ByteBuffer.allocate(4096)));
            assertRefuses(() -> file.truncate(10));
            assertRefuses(() -> file.zero(0, 10));
            Files.write(path, new byte[] {1, 2, 3});
            file.flush();
            file.close();
            assertThat(Files.size(path)).isEqualTo(3);
        } finally {
            Files.delete(path);
        }
    }

    private static HostFile openDirect(HostDirectory directory, String name) {
        try {
            return directory.open(name, Access.READ_ONLY);
        } catch (DiskException e) {
            Assumptions.abort("no direct I/O on this file system: " + e.getMessage());
            throw new AssertionError(e);
        }
    }

    private interface Request {
        void run() throws DiskException;
    }

    private static void assertRefuses(Request request) {
        assertThatThrownBy(request::run).isInstanceOf(HostIoException.class);
    }

    @Test
    @DisplayName("QC-GUEST-08: a closed file refuses requests, and can be closed again")
    void closed() throws DiskException {
        HostFile[] files = {MemoryHostFile.empty("file"), new RealHostDirectory(directory).create("file")};
        for (HostFile file : files) {
            file.close();
            file.close();
            assertRefuses(file::size);
            assertRefuses(() -> file.read(0, ByteBuffer.allocate(1)));
            assertRefuses(() -> file.write(0, ByteBuffer.allocate(1)));
            assertRefuses(() -> file.zero(0, 10));
            assertRefuses(() -> file.punchHole(0, 10));
            assertRefuses(() -> file.truncate(10));
        }
    }

    @Test
    @DisplayName("QC-L2-11: a host that zeroes only by writing says no, and changes nothing")
    void refusesEfficientZeroing() throws DiskException {
        MemoryHostDirectory memory = new MemoryHostDirectory(false);
        HostFile file = memory.create("file");
        file.write(0, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        assertThat(file.zero(0, 10)).isFalse();
        assertThat(file.punchHole(0, 2)).isFalse();
        assertThat(memory.content("file").toByteArray()).containsExactly(1, 2, 3);
    }

    @Test
    @DisplayName("QC-GUEST-06: the journal has every change in its order, and none that was refused")
    void journal() throws DiskException {
        RecordingHostFile file = new RecordingHostFile(MemoryHostFile.empty("file"));
        file.write(5, ByteBuffer.wrap(new byte[] {7, 8}));
        file.zero(100, 50);
        file.punchHole(0, 6);
        file.flush();
        file.truncate(20);
        file.read(0, ByteBuffer.allocate(3));
        assertThat(file.events())
                .extracting(HostEvent::kind)
                .containsExactly(
                        HostEvent.Kind.WRITE,
                        HostEvent.Kind.ZERO,
                        HostEvent.Kind.PUNCH_HOLE,
                        HostEvent.Kind.FLUSH,
                        HostEvent.Kind.TRUNCATE);
        assertThat(file.events().get(0).data()).isEqualTo(ByteBuffer.wrap(new byte[] {7, 8}));
        RecordingHostFile refusing =
                new RecordingHostFile(new MemoryHostFile("file", new MemoryFileContent(), Access.READ_WRITE, false));
        refusing.zero(0, 10);
        assertThat(refusing.events()).isEmpty();
    }

    @Test
    @DisplayName("QC-GUEST-09: a real file says where its holes are; whoever can't tell says that all is data")
    void holes() throws DiskException {
        RealHostDirectory real = new RealHostDirectory(directory);
        try (HostFile file = real.create("sparse")) {
            file.truncate(1 << 20);
            file.write(1 << 18, ByteBuffer.allocate(1 << 16).put(0, (byte) 1));
            Assumptions.assumeTrue(file.extent(0).hole(), "this file system tells of no holes");
            assertThat(file.extent(0)).isEqualTo(new HostExtent(true, 1 << 18));
            assertThat(file.extent(1 << 18)).isEqualTo(new HostExtent(false, (1 << 18) + (1 << 16)));
            assertThat(file.extent((1 << 19) + 5)).isEqualTo(new HostExtent(true, 1 << 20));
            file.flush();
            assertThat(file.allocatedBytes().orElseThrow()).isBetween(1L << 16, 1L << 17);
        }
        HostFile memory = MemoryHostFile.empty("file");
        memory.truncate(100);
        assertThat(memory.extent(7)).isEqualTo(new HostExtent(false, 100));
        assertThat(memory.allocatedBytes()).isEmpty();
    }

    @Test
    @DisplayName("QC-LIM-06: a sparse file of terabytes costs what is in it")
    void sparse() throws DiskException {
        MemoryHostFile file = MemoryHostFile.empty("file");
        file.truncate(1L << 60);
        file.write(1L << 59, ByteBuffer.wrap(new byte[] {1}));
        assertThat(file.content().allocatedBytes()).isLessThan(10_000);
        file.punchHole(0, 1L << 60);
        assertThat(file.content().allocatedBytes()).isZero();
        assertThat(file.size()).isEqualTo(1L << 60);
    }

    @Test
    @DisplayName("QC-BACK-03: names start at the directory of the file that names them, in memory as on the host")
    void names() throws IOException {
        MemoryHostDirectory memory = new MemoryHostDirectory();
        memory.create("dir/base");
        Files.createDirectory(directory.resolve("dir"));
        RealHostDirectory real = new RealHostDirectory(directory);
        real.create("dir/base").close();
        for (HostDirectory host : new HostDirectory[] {memory, real}) {
            String backing = host.resolve("dir/overlay", "base");
            assertThat(host.identity(backing)).isEqualTo(host.identity("dir/../dir/./base"));
            host.open(backing, Access.READ_ONLY).close();
            assertRefuses(() -> host.open("nothing", Access.READ_ONLY));
        }
        assertRefuses(() -> real.open("dir", Access.READ_ONLY));
    }
}
