package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** QEMU's tools at work in one folder. */
record Qemu(Path folder) {

    static void assumeInstalled() {
        boolean found = List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(place -> Files.isExecutable(Path.of(place, "qemu-img")));
        assumeTrue(found, "qemu-img is not installed: the outside oracle is missing");
    }

    /** Without locks: QEMU looks at images while they are open here, after a flush. */
    HostDirectory directory() {
        return new RealHostDirectory(folder, Durability.NONE).withLocking(RealHostDirectory.Locking.OFF);
    }

    /** Checks the image, and compares its bytes. QEMU counts a disk in whole sectors, so it does not see an odd end. */
    void assertSame(String image, byte[] model) throws Exception {
        run("qemu-img", "check", "-f", "qcow2", image);
        run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, "raw");
        byte[] bytes = Files.readAllBytes(folder.resolve("raw"));
        byte[] sectors = Arrays.copyOf(model, model.length / 512 * 512);
        assertThat(Arrays.mismatch(Arrays.copyOf(bytes, sectors.length), sectors))
                .isEqualTo(-1);
    }

    String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s%n%s", String.join(" ", command), output)
                .isZero();
        return output;
    }
}
