package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.optimized.DamagedImage.Damage;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Repairs of ours and of QEMU's count the same, and QEMU finds nothing after ours. */
class RepairQemuTest {

    @TempDir
    private Path path = Path.of("");

    private HostDirectory directory = new RealHostDirectory(Path.of(""), Durability.NONE);

    @BeforeEach
    void assumeInstalled() {
        QemuProgram.assumeInstalled();
        directory = new RealHostDirectory(path, Durability.NONE);
    }

    private RepairReport qemuRepairs(RepairMode mode) throws IOException, InterruptedException {
        Files.copy(path.resolve("disk"), path.resolve("copy"), StandardCopyOption.REPLACE_EXISTING);
        String what = mode == RepairMode.LEAKS ? "leaks" : "all";
        String json = QemuProgram.output(path, "qemu-img", "check", "-f", "qcow2", "--output=json", "-r", what, "copy");
        return new RepairReport(
                number(json, "corruptions-fixed"),
                number(json, "leaks-fixed"),
                number(json, "corruptions"),
                number(json, "leaks"));
    }

    private static long number(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\": ([0-9]+)").matcher(json);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    @DisplayName(
            "QC-MNT-16, QC-REF-03, QC-L1-03, QC-L2-03: wrong counts and flags are counted as qemu-img check -r counts them")
    void countsAlike(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        DamagedImage image = new DamagedImage(directory, random);
        for (int i = random.nextInt(1, 6); i > 0; i--) {
            image.damage(Damage.COMMON.get(random.nextInt(3)));
        }
        RepairReport theirs = qemuRepairs(RepairMode.ALL);
        RepairReport ours = new OptimizedDriver().repair(directory, "disk", RepairMode.ALL, OpenOptions.readWrite());
        assertThat(ours).isEqualTo(theirs);
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "disk");
    }

    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32})
    @DisplayName("QC-REF-16: after any damage QEMU finds the mended image clean, and reads the same bytes")
    void cleanForQemu(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        DamagedImage image = new DamagedImage(directory, random);
        for (int i = random.nextInt(1, 6); i > 0; i--) {
            image.damage(Damage.ALL.get(random.nextInt(Damage.ALL.size())));
        }
        new OptimizedDriver().repair(directory, "disk", RepairMode.ALL, OpenOptions.readWrite());
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "disk");
        QemuProgram.run(path, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", "disk", "raw");
        byte[] raw = Files.readAllBytes(path.resolve("raw"));
        assertThat(Arrays.mismatch(Arrays.copyOf(raw, DamagedImage.SIZE), image.bytes()))
                .as("first byte that differs, of clusters of %d", image.clusterSize())
                .isEqualTo(-1);
    }

    @Test
    @DisplayName("QC-EXT-11, QC-BM-21: the clusters of QEMU's bitmaps are no leaks")
    void bitmapsAreCounted() throws Exception {
        QemuProgram.run(path, "qemu-img", "create", "-f", "qcow2", "disk", "10M");
        QemuProgram.run(path, "qemu-img", "bitmap", "--add", "-f", "qcow2", "disk", "one");
        QemuProgram.run(path, "qemu-io", "-f", "qcow2", "-c", "write 1M 1M", "disk");
        QemuProgram.run(path, "qemu-img", "bitmap", "--add", "-g", "512", "-f", "qcow2", "disk", "two");
        assertThat(new OptimizedDriver().repair(directory, "disk", RepairMode.ALL, OpenOptions.readWrite()))
                .isEqualTo(new RepairReport(0, 0, 0, 0));
        assertThat(QemuProgram.output(path, "qemu-img", "info", "-f", "qcow2", "disk"))
                .contains("one", "two");
    }

    @Test
    @DisplayName("QC-HDR-22: an image that QEMU left dirty is mended here, and one that we left dirty by QEMU")
    void dirtyBothWays() throws Exception {
        QemuProgram.run(path, "qemu-img", "create", "-f", "qcow2", "-o", "lazy_refcounts=on", "disk", "10M");
        QemuProgram.output(
                path, "qemu-io", "-f", "qcow2", "-c", "write -P 5 0 1M", "-c", "flush", "-c", "abort", "disk");
        OptimizedDriver driver = new OptimizedDriver();
        VirtualDisk disk = driver.open(directory, "disk", Images.WRITE.repairingDirty());
        assertThat(disk.notices()).hasSize(1);
        ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
        disk.read(0, bytes);
        assertThat(bytes.array()).isEqualTo(Images.filled(1 << 20, 5));
        QemuProgram.run(path, "qemu-img", "check", "-U", "-f", "qcow2", "disk");
        disk.write(2 << 20, ByteBuffer.wrap(Images.filled(1 << 20, 6)));
        disk.flush();
        Files.copy(path.resolve("disk"), path.resolve("left"), StandardCopyOption.REPLACE_EXISTING);
        disk.close();
        QemuProgram.output(path, "qemu-img", "check", "-r", "all", "-f", "qcow2", "left");
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "left");
        QemuProgram.run(path, "qemu-io", "-f", "qcow2", "-c", "read -P 6 2M 1M", "-c", "read -P 5 0 1M", "left");
    }
}
