package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Runs QEMU's tools, the outside oracle. */
final class QemuProgram {

    private QemuProgram() {}

    static void assumeInstalled() {
        boolean found = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(place -> Files.isExecutable(Path.of(place, "qemu-img")));
        assumeTrue(found, "qemu-img is not installed: the outside oracle is missing");
    }

    /** Runs a program that must succeed, and whose output must not tell of an error. */
    static String run(Path path, String... command) throws IOException, InterruptedException {
        Process process = start(path, command);
        String output = read(process);
        assertThat(process.waitFor())
                .as("%s%n%s", String.join(" ", command), output)
                .isZero();
        assertThat(output).doesNotContain("failed", "Pattern verification");
        return output;
    }

    /** Runs a program whose answer may be an error. */
    static String output(Path path, String... command) throws IOException, InterruptedException {
        Process process = start(path, command);
        String output = read(process);
        process.waitFor();
        return output;
    }

    private static Process start(Path path, String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .directory(path.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        return process;
    }

    private static String read(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
