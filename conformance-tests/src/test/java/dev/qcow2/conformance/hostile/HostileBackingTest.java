package dev.qcow2.conformance.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Chains of backing files that nobody should build. */
class HostileBackingTest {

    private static final OpenOptions FOLLOW = OpenOptions.readWrite().followingBacking();
    private static final CreateOptions SMALL = CreateOptions.ofSize(10_000).withClusterBits(9);

    static List<DiskDriver> drivers() {
        return Subjects.drivers();
    }

    private static void link(DiskDriver driver, HostDirectory directory, String overlay, String backing)
            throws DiskException {
        driver.create(directory, overlay, SMALL.withBacking(backing, Optional.of(BackingFormat.QCOW2)));
    }

    private static DiskException refusal(DiskDriver driver, HostDirectory directory, String name) {
        return Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> catchThrowableOfType(DiskException.class, () -> driver.open(directory, name, FOLLOW)
                        .close()));
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BACK-04: an image that is its own backing file is refused")
    void selfLoop(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        link(driver, directory, "dir/a", "../dir/./a");
        DiskException e = refusal(driver, directory, "dir/a");
        assertThat(e).isInstanceOf(BackingException.class);
        assertThat(((BackingException) e).clause().id()).isEqualTo("QC-BACK-04");
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BACK-04: a circle of two, entered from outside, is refused")
    void circleOfTwo(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        link(driver, directory, "top", "a");
        link(driver, directory, "a", "b");
        link(driver, directory, "b", "a");
        DiskException e = refusal(driver, directory, "top");
        assertThat(e).isInstanceOf(BackingException.class);
        assertThat(((BackingException) e).clause().id()).isEqualTo("QC-BACK-04");
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BACK-04: a circle through a symbolic link of the host is refused")
    void circleThroughLink(DiskDriver driver, @TempDir Path temp) throws IOException {
        HostDirectory directory = new RealHostDirectory(temp);
        link(driver, directory, "a", "link");
        Files.createSymbolicLink(temp.resolve("link"), temp.resolve("a"));
        assertThat(refusal(driver, directory, "a")).isInstanceOf(BackingException.class);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-LIM-04: a chain of 200 images opens, one of 201 is refused")
    void longChains(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "0", SMALL);
        for (int i = 1; i <= 200; i++) {
            link(driver, directory, Integer.toString(i), Integer.toString(i - 1));
        }
        try (VirtualDisk disk = driver.open(directory, "199", FOLLOW)) {
            ByteBuffer all = ByteBuffer.allocate(10_000);
            disk.read(0, all);
            disk.write(100, ByteBuffer.allocate(100));
            assertThat(disk.status(0, 10_000)).isNotEmpty();
        }
        DiskException e = refusal(driver, directory, "200");
        assertThat(e).isInstanceOf(BackingException.class);
        assertThat(((BackingException) e).clause().id()).isEqualTo("QC-LIM-04");
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BACK-03, QC-BACK-05: a missing file, a directory and a name that is none are typed refusals")
    void noFileAtAll(DiskDriver driver, @TempDir Path temp) throws IOException {
        Files.createDirectory(temp.resolve("directory"));
        HostDirectory directory = new RealHostDirectory(temp);
        for (String name :
                new String[] {"missing", "directory", "no\0name", "/dev/zero", "/dev/null", "x".repeat(900)}) {
            driver.create(
                    directory, "overlay", SMALL.withClusterBits(12).withBacking(name, Optional.of(BackingFormat.RAW)));
            byte[] before = Files.readAllBytes(temp.resolve("overlay"));
            if (!name.startsWith("x")) {
                assertThat(refusal(driver, directory, "overlay")).as(name).isNotNull();
            }
            assertThat(Files.readAllBytes(temp.resolve("overlay"))).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BACK-06: without permission no backing file is opened, whatever its name")
    void policyComesFirst(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        link(driver, directory, "overlay", "missing");
        DiskException e = catchThrowableOfType(
                DiskException.class,
                () -> driver.open(directory, "overlay", OpenOptions.readOnly()).close());
        assertThat(e).isInstanceOf(BackingException.class);
        assertThat(((BackingException) e).clause().id()).isEqualTo("QC-BACK-06");
        assertThat(((BackingException) e).backingName()).isEqualTo("missing");
    }
}
