package dev.qcow2.spec.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.HostException;
import dev.qcow2.spec.host.RealHostDirectory.Caching;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Direct I/O gives the same bytes as memory, whatever the alignment of the requests. */
class DirectHostFileTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    @DisplayName("QC-GUEST-01: a direct file holds what was written, at any offset and length")
    void sameAsMemory(long seed) throws IOException {
        Path target = Path.of("target").toAbsolutePath();
        Path path = Files.createTempFile(target, "direct", ".img");
        HostDirectory directory = new RealHostDirectory(target, Durability.NONE, Caching.DIRECT);
        HostFile memory = MemoryHostFile.empty("memory");
        SplittableRandom random = new SplittableRandom(seed);
        try (HostFile direct = open(directory, path)) {
            for (int i = 0; i < 300; i++) {
                step(random, direct, memory);
                assertThat(direct.size()).isEqualTo(memory.size());
            }
            direct.flush();
            assertThat(readAll(direct)).isEqualTo(readAll(memory));
        } finally {
            assertThat(Files.size(path)).isEqualTo(memory.size());
            Files.delete(path);
        }
    }

    private static HostFile open(HostDirectory directory, Path path) {
        try {
            return directory.create(path.getFileName().toString());
        } catch (IOException e) {
            Assumptions.abort("no direct I/O on this file system: " + e.getMessage());
            throw new AssertionError(e);
        }
    }

    private static void step(SplittableRandom random, HostFile direct, HostFile memory)
            throws HostException, IOException {
        boolean aligned = random.nextInt(3) == 0;
        long offset = aligned ? random.nextInt(40) * 4096L : random.nextInt(160_000);
        int length = aligned ? (1 + random.nextInt(5)) * 4096 : 1 + random.nextInt(9000);
        switch (random.nextInt(6)) {
            case 0 -> {
                direct.truncate(offset);
                memory.truncate(offset);
            }
            case 1, 2 -> {
                ByteBuffer ours = ByteBuffer.allocateDirect(length);
                ByteBuffer theirs = ByteBuffer.allocate(length);
                assertThat(direct.read(offset, ours)).isEqualTo(memory.read(offset, theirs));
                assertThat(ours.flip()).isEqualTo(theirs.flip());
            }
            default -> {
                byte[] data = new byte[length];
                random.nextBytes(data);
                ByteBuffer buffer = ByteBuffer.allocateDirect(length + 8192).alignedSlice(4096);
                direct.write(offset, buffer.limit(length).put(data).flip());
                memory.write(offset, ByteBuffer.wrap(data));
            }
        }
    }

    private static byte[] readAll(HostFile file) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(file.size()));
        file.read(0, all);
        return all.array();
    }
}
