package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Backing files. */
class ChainTest {

    private static final OpenOptions FOLLOW = OpenOptions.readWrite().followingBacking();

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final ReferenceDriver driver = new ReferenceDriver();

    private void create(String name, long size, String backing, Optional<BackingFormat> format) throws DiskException {
        driver.create(
                directory, name, CreateOptions.ofSize(size).withClusterBits(9).withBacking(backing, format));
    }

    @Test
    @DisplayName(
            "QC-L2-10 QC-BACK-01 QC-BACK-05 QC-GUEST-09 a chain of five, shorter and longer, with and without a format")
    void chainOfFive() throws DiskException {
        try (HostFile file = directory.create("0")) {
            file.write(0, ByteBuffer.wrap("raw".repeat(1000).getBytes(StandardCharsets.US_ASCII)));
        }
        create("1", 2048, "0", Optional.of(BackingFormat.RAW));
        create("2", 8192, "1", Optional.of(BackingFormat.QCOW2));
        create("3", 1536, "2", Optional.empty());
        create("4", 4096, "3", Optional.empty());
        try (VirtualDisk disk = driver.open(directory, "2", FOLLOW)) {
            disk.write(512, ByteBuffer.wrap(new byte[] {7}));
        }
        try (VirtualDisk disk = driver.open(directory, "4", FOLLOW)) {
            ByteBuffer seen = ByteBuffer.allocate(4096);
            disk.read(0, seen);
            assertThat(seen.get(511)).isEqualTo((byte) 'a');
            assertThat(seen.get(512)).isEqualTo((byte) 7);
            assertThat(seen.get(513)).isEqualTo((byte) 'r');
            assertThat(Arrays.copyOfRange(seen.array(), 1536, 4096)).containsOnly(0);
            assertThat(disk.status(0, 4096))
                    .containsExactly(
                            new BlockStatus(0, 512, Content.DATA, true, 4),
                            new BlockStatus(512, 512, Content.DATA, true, 2),
                            new BlockStatus(1024, 512, Content.DATA, true, 4),
                            new BlockStatus(1536, 2560, Content.ZERO, false, 0));
        }
    }

    @Test
    @DisplayName("QC-BACK-04 a chain that comes back to itself is refused")
    void loop() throws DiskException {
        create("a", 512, "./b", Optional.of(BackingFormat.QCOW2));
        create("b", 512, "a", Optional.of(BackingFormat.QCOW2));
        BackingException refusal =
                catchThrowableOfType(BackingException.class, () -> driver.open(directory, "a", FOLLOW));
        assertThat(refusal.clause().id()).isEqualTo("QC-BACK-04");
    }

    @Test
    @DisplayName("QC-LIM-04 a chain of more than 200 images is refused, one of 200 is not")
    void longChain() throws DiskException {
        driver.create(directory, "0", CreateOptions.ofSize(512));
        for (int i = 1; i <= 200; i++) {
            create(Integer.toString(i), 512, Integer.toString(i - 1), Optional.of(BackingFormat.QCOW2));
        }
        driver.open(directory, "199", FOLLOW).close();
        assertThatThrownBy(() -> driver.open(directory, "200", FOLLOW)).hasMessageContaining("QC-LIM-04");
    }

    @Test
    @DisplayName("QC-BACK-06 without permission no backing file is opened; QC-BACK-03 a missing one is refused")
    void policyAndMissing() throws DiskException {
        create("top", 512, "no such file", Optional.of(BackingFormat.RAW));
        assertThatThrownBy(() -> driver.open(directory, "top", OpenOptions.readWrite()))
                .hasMessageContaining("QC-BACK-06");
        assertThatThrownBy(() -> driver.open(directory, "top", FOLLOW))
                .isInstanceOf(BackingException.class)
                .hasMessageContaining("no such file");
    }

    @Test
    @DisplayName("QC-BACK-07 a write, a discard and zeroes leave the backing file's bytes alone")
    void backingIsNotWritten() throws DiskException {
        try (HostFile file = directory.create("base")) {
            file.write(0, ByteBuffer.wrap(new byte[] {1, 2, 3, 4}));
        }
        create("top", 2048, "base", Optional.of(BackingFormat.RAW));
        try (VirtualDisk disk = driver.open(directory, "top", FOLLOW)) {
            disk.write(1, ByteBuffer.wrap(new byte[] {9}));
            disk.discard(0, 2048);
            disk.writeZeroes(0, 2048, VirtualDisk.ZeroMode.MAY_UNMAP);
            ByteBuffer seen = ByteBuffer.allocate(4);
            disk.read(0, seen);
            // QC-GUEST-04: hidden backing data stays hidden.
            assertThat(seen.array()).containsOnly(0);
        }
        assertThat(directory.content("base").toByteArray()).containsExactly(1, 2, 3, 4);
    }
}
