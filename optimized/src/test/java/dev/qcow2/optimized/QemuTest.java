package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** QEMU finds our images right, and we read and continue QEMU's. */
class QemuTest {

    private static final int SIZE = 3_000_321;

    @TempDir
    private Path path = Path.of("");

    private Qemu qemu = new Qemu(Path.of(""));
    private HostDirectory directory = qemu.directory();

    @BeforeEach
    void assumeInstalled() {
        Qemu.assumeInstalled();
        qemu = new Qemu(path);
        directory = qemu.directory();
    }

    @ParameterizedTest
    @CsvSource({"2, 16, 4, 2047", "3, 16, 4, 2047", "3, 9, 0, 2047", "3, 9, 6, 0", "3, 12, 3, 2039", "3, 21, 5, 2047"})
    @DisplayName("QC-HDR-01 to 14, QC-REF-03, QC-L2-03: qemu-img check is content, and reads the same bytes")
    void agrees(int version, int clusterBits, int refcountOrder, int switches) throws Exception {
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        // QEMU takes the size of a raw file in whole sectors, so the backing file has whole ones.
        Files.write(path.resolve("base"), Images.filled(1_000_448, 0x3c));
        driver.create(
                directory,
                "disk",
                new CreateOptions(SIZE, version, clusterBits, refcountOrder, Optional.empty())
                        .withBacking("base", Optional.of(CreateOptions.BackingFormat.RAW)));
        byte[] model = new byte[SIZE];
        System.arraycopy(Images.filled(1_000_448, 0x3c), 0, model, 0, 1_000_448);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            change(disk, model, 1 << clusterBits, version == 3, 1);
        }
        qemu.assertSame("disk", model);
        assertThat(qemu.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x5a 70000 9000", "disk"))
                .doesNotContain("rror");
        Arrays.fill(model, 70_000, 79_000, (byte) 0x5a);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            change(disk, model, 1 << clusterBits, version == 3, 2);
        }
        qemu.assertSame("disk", model);
    }

    @ParameterizedTest
    @CsvSource({"2, 16, 4, 2047", "3, 16, 4, 2047", "3, 9, 3, 2047", "3, 9, 6, 0", "3, 12, 3, 2047"})
    @DisplayName("QC-SNAP-01 to 10: snapshots are clean for qemu-img check after each step, and QEMU lists them")
    void snapshots(int version, int clusterBits, int refcountOrder, int switches) throws Exception {
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        driver.create(
                directory, "disk", new CreateOptions(SIZE, version, clusterBits, refcountOrder, Optional.empty()));
        byte[] model = new byte[SIZE];
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            change(disk, model, 1 << clusterBits, true, 3);
            byte[] kept = model.clone();
            SnapshotInfo first = disk.createSnapshot("first");
            qemu.assertSame("disk", model);
            change(disk, model, 1 << clusterBits, true, 4);
            disk.flush();
            qemu.assertSame("disk", model);
            disk.createSnapshot("second");
            assertThat(qemu.run("qemu-img", "snapshot", "-l", "disk")).contains("first", "second");
            disk.applySnapshot(first.id());
            assertThat(Images.readAll(disk)).isEqualTo(kept);
            qemu.assertSame("disk", kept);
            change(disk, kept, 1 << clusterBits, true, 5);
            disk.deleteSnapshot(first.id());
            qemu.assertSame("disk", kept);
            disk.deleteSnapshot(disk.snapshots().get(0).id());
            assertThat(disk.snapshots()).isEmpty();
            qemu.assertSame("disk", kept);
        }
    }

    @Test
    @DisplayName("QC-GUEST-01, QC-SNAP-03: an image with snapshots that QEMU made is read, continued and rolled back")
    void madeByQemu() throws Exception {
        qemu.run("qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=4096", "disk", Integer.toString(SIZE));
        qemu.run("qemu-io", "-c", "write -P 1 0 2000000", "-c", "write -z 40960 8192", "disk");
        qemu.run("qemu-img", "snapshot", "-c", "one", "disk");
        qemu.run("qemu-io", "-c", "write -P 2 100000 300000", "disk");
        OptimizedDriver driver = new OptimizedDriver();
        // QEMU rounds the size up to whole sectors.
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            byte[] model = Images.readAll(disk);
            assertThat(model[99_999]).isEqualTo((byte) 1);
            assertThat(model[100_000]).isEqualTo((byte) 2);
            assertThat(model[41_000]).isZero();
            change(disk, model, 4096, true, 6);
            disk.flush();
            qemu.assertSame("disk", model);
            disk.applySnapshot(disk.snapshots().get(0).id());
            assertThat(Images.readAll(disk)[100_000]).isEqualTo((byte) 1);
            disk.flush();
            qemu.assertSame("disk", Images.readAll(disk));
        }
    }

    private static void change(VirtualDisk disk, byte[] model, int clusterSize, boolean discards, int seed)
            throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 60; i++) {
            Action action = new Action(
                            Action.Kind.any(random),
                            random.nextInt(model.length),
                            random.nextInt(random.nextBoolean() ? 5_000 : 400_000),
                            (byte) (seed * 60 + i))
                    .inside(model.length, clusterSize);
            action.applyTo(disk);
            action.applyTo(model, clusterSize, discards);
        }
    }
}
