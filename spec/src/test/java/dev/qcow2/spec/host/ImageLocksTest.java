package dev.qcow2.spec.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FileInUseException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.RealHostDirectory.Locking;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who has an image open keeps others from changing it; QEMU and we see each other's locks. */
class ImageLocksTest {

    private static final String IMAGE = "disk.img";

    @TempDir
    private Path folder = Path.of("");

    private RealHostDirectory ours = new RealHostDirectory(folder);
    private RealHostDirectory others = new RealHostDirectory(folder);

    @BeforeAll
    static void hostHasLocks() {
        String system = System.getProperty("os.name", "");
        assumeTrue(system.toLowerCase(Locale.ROOT).contains("linux"), "locks of descriptors exist on Linux only");
    }

    @BeforeEach
    void makeImage() throws IOException {
        Files.write(folder.resolve(IMAGE), new byte[1 << 16]);
        ours = new RealHostDirectory(folder, Durability.NONE);
        others = new RealHostDirectory(folder, Durability.NONE);
    }

    @ParameterizedTest(name = "{0} beside {1}: {2}")
    @DisplayName("Two users: only readers stand beside each other")
    @CsvSource({
        "READ_ONLY,READ_ONLY,",
        "READ_ONLY,READ_WRITE,Failed to get \"write\" lock",
        "READ_WRITE,READ_ONLY,Failed to get shared \"write\" lock",
        "READ_WRITE,READ_WRITE,Failed to get \"write\" lock",
    })
    void twoUsers(Access first, Access second, String reason) throws DiskException {
        try (HostFile held = ours.open(IMAGE, first)) {
            assertThat(held.size()).isPositive();
            if (reason == null) {
                others.open(IMAGE, second).close();
                return;
            }
            assertThatThrownBy(() -> others.open(IMAGE, second))
                    .isInstanceOfSatisfying(FileInUseException.class, refusal -> {
                        assertThat(refusal.reason()).isEqualTo(reason);
                        assertThat(refusal).hasMessageContaining(IMAGE).hasMessageContaining("Is another process");
                    });
        }
        others.open(IMAGE, second).close();
    }

    @Test
    @DisplayName("A file that somebody has open is not emptied by a create")
    void createKeepsBytes() throws IOException {
        try (HostFile held = ours.open(IMAGE, Access.READ_ONLY)) {
            assertThatThrownBy(() -> others.create(IMAGE)).isInstanceOf(FileInUseException.class);
            assertThat(held.size()).isEqualTo(1 << 16);
        }
        others.create(IMAGE).close();
        assertThat(Files.size(folder.resolve(IMAGE))).isZero();
    }

    @Test
    @DisplayName("Handles of one user are on the same side, and each gives back only its own locks")
    void oneUser() throws DiskException {
        HostFile reader = ours.open(IMAGE, Access.READ_ONLY);
        try (HostFile writer = ours.open(IMAGE, Access.READ_WRITE)) {
            writer.write(0, ByteBuffer.wrap(new byte[] {1}));
            assertThatThrownBy(() -> others.open(IMAGE, Access.READ_ONLY)).isInstanceOf(FileInUseException.class);
        }
        others.open(IMAGE, Access.READ_ONLY).close();
        assertThatThrownBy(() -> others.open(IMAGE, Access.READ_WRITE)).isInstanceOf(FileInUseException.class);
        reader.close();
        reader.close();
        others.open(IMAGE, Access.READ_WRITE).close();
    }

    @Test
    @DisplayName("A hard link is the same file")
    void hardLink() throws IOException {
        Files.createLink(folder.resolve("link"), folder.resolve(IMAGE));
        try (HostFile held = ours.open(IMAGE, Access.READ_WRITE)) {
            assertThat(held.size()).isPositive();
            assertThatThrownBy(() -> others.open("link", Access.READ_ONLY)).isInstanceOf(FileInUseException.class);
            // The user's own second name of it stands on the same side.
            assertThatCode(() -> ours.open("link", Access.READ_ONLY).close()).doesNotThrowAnyException();
        }
    }

    @Test
    @DisplayName("Who shares by force reads what others write; who locks nothing may even write")
    void force() throws DiskException {
        try (HostFile held = ours.open(IMAGE, Access.READ_WRITE)) {
            assertThat(held.size()).isPositive();
            RealHostDirectory sharing = others.withLocking(Locking.FORCE_SHARE);
            sharing.open(IMAGE, Access.READ_ONLY).close();
            assertThatThrownBy(() -> sharing.open(IMAGE, Access.READ_WRITE)).isInstanceOf(FileInUseException.class);
            others.withLocking(Locking.OFF).open(IMAGE, Access.READ_WRITE).close();
        }
    }

    @Test
    @DisplayName("Locks hold for files that bypass the page cache too")
    void direct() throws DiskException {
        Path target = Path.of("target").toAbsolutePath();
        RealHostDirectory direct = new RealHostDirectory(target, Durability.NONE, RealHostDirectory.Caching.DIRECT);
        HostFile file;
        try {
            file = direct.create("locked-direct.img");
        } catch (DiskException e) {
            assumeTrue(false, "no direct I/O on this file system: " + e.getMessage());
            return;
        }
        try (file) {
            assertThatThrownBy(() -> new RealHostDirectory(target).open("locked-direct.img", Access.READ_ONLY))
                    .isInstanceOf(FileInUseException.class);
        }
        new RealHostDirectory(target)
                .open("locked-direct.img", Access.READ_WRITE)
                .close();
    }

    @ParameterizedTest(name = "QEMU {0}, ours {1}: refused {2}")
    @DisplayName("An image that QEMU has open is refused by ours where QEMU would refuse it")
    @CsvSource({
        "'',READ_ONLY,true",
        "'',READ_WRITE,true",
        "-r,READ_ONLY,false",
        "-r,READ_WRITE,true",
        "-r -U,READ_ONLY,false",
        "-r -U,READ_WRITE,false",
    })
    void heldByQemu(String options, Access access, boolean refused) throws IOException, InterruptedException {
        makeQcow2();
        Process holder = qemu(options, "read 0 512");
        try (BufferedReader answers =
                new BufferedReader(new InputStreamReader(holder.getInputStream(), StandardCharsets.UTF_8))) {
            // It has read, so it has opened.
            assertThat(answers.readLine()).contains("read 512/512");
            if (refused) {
                assertThatThrownBy(() -> ours.open(IMAGE, access)).isInstanceOf(FileInUseException.class);
            } else {
                ours.open(IMAGE, access).close();
            }
        } finally {
            holder.getOutputStream().close();
            assertThat(holder.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
        ours.open(IMAGE, access).close();
    }

    @ParameterizedTest(name = "ours {0}, QEMU {1}: {2}")
    @DisplayName("An image that ours has open is refused by QEMU where it would refuse its own")
    @CsvSource({
        "READ_WRITE,'',Failed to get \"write\" lock",
        "READ_WRITE,-r,Failed to get shared \"write\" lock",
        "READ_ONLY,'',Failed to get \"write\" lock",
        "READ_ONLY,-r,read 512/512",
        "READ_WRITE,-r -U,read 512/512",
    })
    void heldByOurs(Access access, String options, String answer) throws IOException, InterruptedException {
        makeQcow2();
        try (HostFile held = ours.open(IMAGE, access)) {
            assertThat(held.size()).isPositive();
            Process guest = qemu(options, "read 0 512");
            guest.getOutputStream().close();
            String said = new String(guest.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(guest.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(said).contains(answer);
        }
    }

    /** QEMU takes fewer locks on raw images than we do; those of qcow2 are what this is about. */
    private void makeQcow2() throws IOException, InterruptedException {
        boolean found = List.of(String.valueOf(System.getenv("PATH")).split(":", -1)).stream()
                .anyMatch(place -> Files.isExecutable(Path.of(place, "qemu-io")));
        assumeTrue(found, "qemu-io is not installed: the outside oracle is missing");
        String image = folder.resolve(IMAGE).toString();
        assertThat(new ProcessBuilder("qemu-img", "create", "-q", "-f", "qcow2", image, "1M")
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Opens the image, performs one command, and waits for the end of its input. */
    private Process qemu(String options, String command) throws IOException {
        String call = "exec qemu-io -f qcow2 " + options + " " + folder.resolve(IMAGE);
        Process process =
                new ProcessBuilder("sh", "-c", call).redirectErrorStream(true).start();
        process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        return process;
    }
}
