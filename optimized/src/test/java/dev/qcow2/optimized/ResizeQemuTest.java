package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** QEMU and we resize one and the same image in turn. */
class ResizeQemuTest {

    @TempDir
    private Path path = Path.of("");

    private HostDirectory directory = new RealHostDirectory(Path.of(""), Durability.NONE);

    @BeforeEach
    void assumeInstalled() {
        QemuProgram.assumeInstalled();
        directory = new RealHostDirectory(path, Durability.NONE);
    }

    private void assertSame(byte[] model) throws Exception {
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "disk");
        QemuProgram.run(path, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", "disk", "raw");
        assertThat(Arrays.mismatch(Files.readAllBytes(path.resolve("raw")), model))
                .isEqualTo(-1);
    }

    @Test
    @DisplayName("QC-MNT-01, QC-MNT-02: longer and shorter in turn, with a longer backing file")
    void inTurn() throws Exception {
        OptimizedDriver driver = new OptimizedDriver();
        Files.write(path.resolve("base"), Images.filled(3 << 20, 0x3c));
        QemuProgram.run(path, "qemu-img", "create", "-f", "qcow2", "-b", "base", "-F", "raw", "disk", "1M");
        byte[] model = Images.filled(1 << 20, 0x3c);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.resize(2 << 20, Preallocation.OFF);
            model = Arrays.copyOf(model, 2 << 20);
            disk.write(1_500_000, ByteBuffer.wrap(Images.filled(100_000, 1)));
            Arrays.fill(model, 1_500_000, 1_600_000, (byte) 1);
        }
        assertSame(model);
        QemuProgram.run(path, "qemu-img", "resize", "-f", "qcow2", "disk", "4M");
        model = Arrays.copyOf(model, 4 << 20);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Images.readAll(disk)).isEqualTo(model);
            disk.resize(1_550_336, Preallocation.OFF);
            model = Arrays.copyOf(model, 1_550_336);
        }
        assertSame(model);
        QemuProgram.run(path, "qemu-img", "resize", "-f", "qcow2", "disk", "2M");
        assertSame(Arrays.copyOf(model, 2 << 20));
        QemuProgram.run(path, "qemu-img", "resize", "--shrink", "-f", "qcow2", "disk", "1M");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.resize(3 << 20, Preallocation.METADATA);
        }
        assertSame(Arrays.copyOf(Arrays.copyOf(model, 1 << 20), 3 << 20));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("QC-MNT-06, QC-MNT-07: QEMU finds our preallocated images clean, and we write to QEMU's")
    void preallocated(Preallocation preallocation) throws Exception {
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(40 << 20).withFeatures(FormatFeatures.PLAIN.withPreallocation(preallocation)));
        assertSame(new byte[40 << 20]);
        String mode = preallocation.name().toLowerCase(java.util.Locale.ROOT);
        QemuProgram.run(path, "qemu-img", "create", "-f", "qcow2", "-o", "preallocation=" + mode, "disk", "10M");
        byte[] model = new byte[10 << 20];
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(77_777, ByteBuffer.wrap(Images.filled(1 << 20, 1)));
            Arrays.fill(model, 77_777, 77_777 + (1 << 20), (byte) 1);
        }
        assertSame(model);
    }
}
