package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** QEMU's tools, as an oracle that shares nothing with us. */
final class Qemu {

    private Qemu() {}

    static void assumeInstalled() {
        boolean found = List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "qemu-img"))
                        && Files.isExecutable(Path.of(directory, "qemu-io")));
        assumeTrue(found, "qemu-img and qemu-io are not installed: the outside oracle is missing");
    }

    /** Runs a tool and returns what it printed; it must succeed. */
    static String run(Path directory, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(new ArrayList<>(List.of(command)))
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS))
                .as("%s ends", List.of(command))
                .isTrue();
        assertThat(process.exitValue()).as("%s%n%s", List.of(command), output).isZero();
        return output;
    }

    /** Neither corruption nor leak: qemu-img check ends with 0 then only. */
    static void check(Path directory, String image) throws IOException, InterruptedException {
        run(directory, "qemu-img", "check", "-f", "qcow2", image);
    }

    /** The whole disk as QEMU reads it. */
    static byte[] read(Path directory, String image) throws IOException, InterruptedException {
        Path raw = directory.resolve(image + ".raw");
        run(directory, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw.toString());
        byte[] bytes = Files.readAllBytes(raw);
        Files.delete(raw);
        return bytes;
    }
}
