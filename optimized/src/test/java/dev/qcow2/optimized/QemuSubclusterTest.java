package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Extended L2 entries, from QEMU to us and back again. */
class QemuSubclusterTest {

    private static final int SIZE = 3_000_320;

    @TempDir
    private Path path = Path.of("");

    private Qemu qemu = new Qemu(Path.of(""));
    private HostDirectory directory = qemu.directory();

    @BeforeEach
    void prepare() throws Exception {
        Qemu.assumeInstalled();
        qemu = new Qemu(path);
        directory = qemu.directory();
        Files.write(path.resolve("base"), Images.filled(1_000_448, 0x3c));
    }

    private static byte[] model() {
        byte[] model = new byte[SIZE];
        Arrays.fill(model, 0, 1_000_448, (byte) 0x3c);
        return model;
    }

    @ParameterizedTest
    @CsvSource({"14, 2047", "16, 2047", "16, 0", "16, 1023", "21, 2047"})
    @DisplayName("QC-HDR-20, QC-HDR-29: subclusters that we made are right for qemu-img check, and continued by QEMU")
    void madeByUs(int clusterBits, int switches) throws Exception {
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(SIZE)
                        .withClusterBits(clusterBits)
                        .withBacking("base", Optional.of(CreateOptions.BackingFormat.RAW))
                        .withFeatures(FormatFeatures.PLAIN.withExtendedL2().withCompression(Compression.ZSTD)));
        byte[] model = model();
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            Images.change(disk, model, 1 << clusterBits, 1, Action.Kind.values());
        }
        continueBoth(driver, model, 1 << clusterBits);
    }

    @ParameterizedTest
    @ValueSource(ints = {16384, 65536, 2097152})
    @DisplayName("QC-HDR-20: subclusters that QEMU made are read and continued by us")
    void madeByQemu(int clusterSize) throws Exception {
        String options = "extended_l2=on,cluster_size=" + clusterSize;
        qemu.run("qemu-img", "create", "-f", "qcow2", "-b", "base", "-F", "raw", "-o", options, "disk", SIZE + "");
        continueBoth(new OptimizedDriver(), model(), clusterSize);
    }

    private void continueBoth(OptimizedDriver driver, byte[] model, int clusterSize) throws Exception {
        qemu.assertSame("disk", model);
        qemu.run("qemu-io", "-c", "write -P 0x5a 70000 9000", "-c", "write -z 900000 70000", "disk");
        Arrays.fill(model, 70_000, 79_000, (byte) 0x5a);
        Arrays.fill(model, 900_000, 970_000, (byte) 0);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
            Images.change(disk, model, clusterSize, 2, Action.Kind.values());
            disk.flush();
            qemu.assertSame("disk", model);
            disk.createSnapshot("one");
            Images.change(disk, model, clusterSize, 3, Action.Kind.values());
        }
        qemu.assertSame("disk", model);
        qemu.run("qemu-io", "-c", "write -P 0x5b 470000 9000", "disk");
        Arrays.fill(model, 470_000, 479_000, (byte) 0x5b);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
    }
}
