package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** External data files, from QEMU to us and back again. */
class QemuDataFileTest {

    private static final int SIZE = 3_000_320;
    private static final Action.Kind[] KINDS = {
        Action.Kind.WRITE, Action.Kind.ZERO_KEEP, Action.Kind.ZERO_UNMAP, Action.Kind.DISCARD, Action.Kind.FLUSH
    };

    private final OptimizedDriver driver = new OptimizedDriver();

    @TempDir
    private Path path = Path.of("");

    private Qemu qemu = new Qemu(Path.of(""));
    private HostDirectory directory = qemu.directory();

    @BeforeEach
    void prepare() {
        Qemu.assumeInstalled();
        qemu = new Qemu(path);
        directory = qemu.directory();
    }

    @ParameterizedTest
    @CsvSource({"16, false, false", "16, true, false", "14, true, true", "12, true, false", "21, false, true"})
    @DisplayName("QC-DATA-01, QC-DATA-07, QC-HDR-18, QC-HDR-30: made by us, checked, read and continued by QEMU")
    void madeByUs(int clusterBits, boolean raw, boolean extended) throws Exception {
        FormatFeatures features = extended ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN;
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(SIZE)
                        .withClusterBits(clusterBits)
                        .withFeatures(features.withDataFile("guest", raw)));
        assertThat(qemu.run("qemu-img", "info", "disk")).contains("data file: guest", "data file raw: " + raw);
        continueBoth(1 << clusterBits, raw);
    }

    @ParameterizedTest
    @CsvSource({"65536, off, off", "65536, on, off", "16384, on, on", "512, on, off", "65536, off, on"})
    @DisplayName("QC-DATA-01, QC-DATA-09, QC-DATA-15: made by QEMU, read and continued by us; the raw bit stays")
    void madeByQemu(int clusterSize, String raw, String extended) throws Exception {
        String options =
                "cluster_size=%d,data_file=guest,data_file_raw=%s,extended_l2=%s".formatted(clusterSize, raw, extended);
        qemu.run("qemu-img", "create", "-f", "qcow2", "-o", options, "disk", Integer.toString(SIZE));
        continueBoth(clusterSize, raw.equals("on"));
        assertThat(qemu.run("qemu-img", "info", "disk")).contains("data file raw: " + raw.equals("on"));
    }

    private void continueBoth(int clusterSize, boolean raw) throws Exception {
        byte[] model = new byte[SIZE];
        for (int round = 0; round < 2; round++) {
            try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE.followingDataFile())) {
                assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
                Images.change(disk, model, clusterSize, 1 + round, KINDS);
            }
            assertSame(model, raw);
            qemu.run("qemu-io", "-c", "write -P 0x5a 70000 9000", "-c", "write -z 900000 70000", "disk");
            Arrays.fill(model, 70_000, 79_000, (byte) 0x5a);
            Arrays.fill(model, 900_000, 970_000, (byte) 0);
            assertSame(model, raw);
        }
    }

    private void assertSame(byte[] model, boolean raw) throws Exception {
        qemu.assertSame("disk", model);
        if (raw) {
            // QEMU writes the last cluster as a whole, so it makes the file longer than the disk.
            byte[] bytes = Arrays.copyOf(Files.readAllBytes(path.resolve("guest")), model.length);
            assertThat(Arrays.mismatch(bytes, model)).isEqualTo(-1);
        }
    }
}
