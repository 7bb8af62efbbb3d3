package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bitmaps of ours and of QEMU in one image. */
class BitmapQemuTest {

    private final OptimizedDriver driver = new OptimizedDriver();

    @TempDir
    private Path path = Path.of("");

    private HostDirectory directory = new RealHostDirectory(Path.of(""), Durability.NONE);

    @BeforeEach
    void assumeInstalled() {
        QemuProgram.assumeInstalled();
        directory = new RealHostDirectory(path, Durability.NONE);
    }

    @Test
    @DisplayName("QC-BM-04, QC-BM-10, QC-BM-13, QC-BM-17: QEMU's bitmaps are read and continued here")
    void qemuFirst() throws Exception {
        QemuProgram.run(path, "qemu-img", "create", "-f", "qcow2", "disk", "10M");
        QemuProgram.run(path, "qemu-img", "bitmap", "--add", "-g", "65536", "-f", "qcow2", "disk", "one");
        QemuProgram.run(path, "qemu-img", "bitmap", "--add", "--disable", "-g", "512", "-f", "qcow2", "disk", "two");
        QemuProgram.run(path, "qemu-io", "-f", "qcow2", "-c", "write 1M 100k", "disk");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(disk.bitmaps().list())
                    .containsExactly(new BitmapInfo("one", 16, true, false), new BitmapInfo("two", 9, false, false));
            assertThat(disk.bitmaps().dirty("one")).containsExactly(new Dirty(1 << 20, 131_072));
            assertThat(disk.bitmaps().dirty("two")).isEmpty();
            disk.write(5 << 20, ByteBuffer.allocate(1));
            disk.bitmaps().merge("two", "one");
        }
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "disk");
        QemuProgram.run(path, "qemu-img", "bitmap", "--add", "-g", "65536", "-f", "qcow2", "disk", "three");
        QemuProgram.run(path, "qemu-img", "bitmap", "--merge", "two", "-f", "qcow2", "disk", "three");
        try (VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readOnly())) {
            assertThat(disk.bitmaps().dirty("three"))
                    .containsExactly(new Dirty(1 << 20, 131_072), new Dirty(5 << 20, 65_536));
        }
    }

    @Test
    @DisplayName("QC-BM-01, QC-BM-02, QC-BM-05, QC-BM-27: QEMU reads and removes bitmaps of ours")
    void oursFirst() throws Exception {
        driver.create(directory, "disk", CreateOptions.ofSize(10 << 20).withClusterBits(12));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.bitmaps().add("ours", 12, true);
            disk.write(777_777, ByteBuffer.allocate(100_000));
            disk.discard(9 << 20, 1 << 20);
        }
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "disk");
        assertThat(QemuProgram.run(path, "qemu-img", "info", "-f", "qcow2", "disk"))
                .contains("name: ours", "granularity: 4096", "auto")
                .doesNotContain("in-use");
        QemuProgram.run(path, "qemu-img", "bitmap", "--add", "-g", "4096", "-f", "qcow2", "disk", "theirs");
        QemuProgram.run(path, "qemu-img", "bitmap", "--merge", "ours", "-f", "qcow2", "disk", "theirs");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(disk.bitmaps().dirty("theirs")).isEqualTo(disk.bitmaps().dirty("ours"));
            assertThat(disk.bitmaps().dirty("ours"))
                    .containsExactly(new Dirty(774_144, 106_496), new Dirty(9 << 20, 1 << 20));
            disk.bitmaps().remove("theirs");
        }
        QemuProgram.run(path, "qemu-img", "bitmap", "--remove", "-f", "qcow2", "disk", "ours");
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "disk");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(disk.bitmaps().list()).isEmpty();
            disk.bitmaps().add("again", 16, true);
        }
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.bitmaps().remove("again");
        }
        assertThat(QemuProgram.run(path, "qemu-img", "info", "-f", "qcow2", "disk"))
                .doesNotContain("bitmaps");
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", "disk");
    }
}
