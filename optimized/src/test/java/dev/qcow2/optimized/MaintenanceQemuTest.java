package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** QEMU understands what a commit, a rebase and an amend of ours leave, and we what QEMU's leave. */
class MaintenanceQemuTest {

    private final OptimizedDriver driver = new OptimizedDriver();

    @TempDir
    private Path path = Path.of("");

    private HostDirectory directory = new RealHostDirectory(Path.of(""), Durability.NONE);

    @BeforeEach
    void assumeInstalled() {
        QemuProgram.assumeInstalled();
        directory = new RealHostDirectory(path, Durability.NONE);
    }

    private String check(String name) throws Exception {
        QemuProgram.run(path, "qemu-img", "check", "-f", "qcow2", name);
        return QemuProgram.run(path, "qemu-img", "info", "-f", "qcow2", name);
    }

    @Test
    @DisplayName("QC-MNT-17 to 20: versions, widths and lazy refcounts, amended by both in turn")
    void amend() throws Exception {
        QemuProgram.run(path, "qemu-img", "create", "-f", "qcow2", "-o", "compat=0.10", "disk", "10M");
        QemuProgram.run(path, "qemu-io", "-f", "qcow2", "-c", "write -P 7 1M 1M", "disk");
        driver.amend(directory, "disk", AmendOptions.NOTHING.withVersion(3).withRefcountOrder(6), Images.WRITE);
        assertThat(check("disk")).contains("compat: 1.1", "refcount bits: 64");
        // QEMU takes half a minute to widen counts of a bit or two.
        driver.amend(
                directory, "disk", AmendOptions.NOTHING.withRefcountOrder(3).withLazyRefcounts(true), Images.WRITE);
        assertThat(check("disk")).contains("lazy refcounts: true", "refcount bits: 8\n");
        QemuProgram.run(path, "qemu-img", "amend", "-t", "unsafe", "-f", "qcow2", "-o", "refcount_bits=16", "disk");
        driver.amend(directory, "disk", AmendOptions.NOTHING.withVersion(2).withLazyRefcounts(false), Images.WRITE);
        assertThat(check("disk")).contains("compat: 0.10");
        QemuProgram.run(path, "qemu-io", "-f", "qcow2", "-c", "read -P 7 1M 1M", "-c", "read -P 0 0 1M", "disk");
        QemuProgram.run(path, "qemu-img", "amend", "-t", "unsafe", "-f", "qcow2", "-o", "compat=1.1", "disk");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Images.readAll(disk)[1 << 20]).isEqualTo((byte) 7);
        }
    }

    @Test
    @DisplayName("QC-MNT-21, QC-MNT-25: QEMU reads what a commit and a safe rebase leave")
    void commitAndRebase() throws Exception {
        Files.write(path.resolve("one"), Images.filled(2 << 20, 1));
        Files.write(path.resolve("two"), Images.filled(1 << 20, 2));
        driver.create(
                directory, "disk", CreateOptions.ofSize(3 << 20).withBacking("one", Optional.of(BackingFormat.RAW)));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(100_000, ByteBuffer.wrap(Images.filled(65_536, 9)));
        }
        driver.rebase(
                directory,
                "disk",
                Optional.of(new Backing("two", Optional.of(BackingFormat.RAW))),
                RebaseMode.SAFE,
                Images.WRITE);
        assertThat(check("disk")).contains("backing file: two", "backing file format: raw");
        QemuProgram.run(
                path,
                "qemu-io",
                "-c",
                "read -P 9 100000 65536",
                "-c",
                "read -P 1 1M 1M",
                "-c",
                "read -P 0 2M 1M",
                "disk");
        driver.commit(directory, "disk", Images.WRITE);
        check("disk");
        QemuProgram.run(path, "qemu-io", "-c", "read -P 9 100000 65536", "-c", "read -P 1 1M 1M", "disk");
        assertThat(Files.size(path.resolve("two"))).isEqualTo(3 << 20);
        driver.rebase(directory, "disk", Optional.empty(), RebaseMode.SAFE, Images.WRITE);
        assertThat(check("disk")).doesNotContain("backing file");
        QemuProgram.run(path, "qemu-io", "-c", "read -P 9 100000 65536", "-c", "read -P 1 1M 1M", "disk");
    }
}
