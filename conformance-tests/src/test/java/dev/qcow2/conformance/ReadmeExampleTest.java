package dev.qcow2.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's example is this file's. */
class ReadmeExampleTest {

    @Test
    @DisplayName("QC-GUEST-01: the README's example runs")
    void runs(@TempDir Path directory) throws IOException {
        assertThat(example(directory)).contains("0 corruptions, 0 leaked clusters");
    }

    @Test
    @DisplayName("The README shows the example that runs, and has at most 150 lines")
    void isInTheReadme() throws IOException {
        List<String> readme = Files.readAllLines(Path.of("..", "README.md"));
        List<String> source = Files.readAllLines(Path.of("src/test/java/dev/qcow2/conformance/ReadmeExampleTest.java"));
        assertThat(readme).hasSizeLessThanOrEqualTo(150);
        assertThat(String.join("\n", readme)).contains(String.join("\n", between(source)));
    }

    private static List<String> between(List<String> source) {
        int from = source.indexOf("        // README begins") + 1;
        int to = source.indexOf("        // README ends");
        assertThat(from).isPositive().isLessThan(to);
        return source.subList(from, to).stream()
                .map(line -> line.replaceFirst("^ {8}", ""))
                .toList();
    }

    private static String example(Path path) throws IOException {
        // README begins
        HostDirectory directory = new RealHostDirectory(path);
        DiskDriver driver = new OptimizedDriver(); // or new ReferenceDriver()
        driver.create(directory, "disk.qcow2", CreateOptions.ofSize(1 << 30));
        try (VirtualDisk disk = driver.open(directory, "disk.qcow2", OpenOptions.readWrite())) {
            disk.write(65536, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        }
        try (HostFile file = directory.open("disk.qcow2", Access.READ_ONLY)) {
            System.out.println(new Auditor().audit(file).toText());
        }
        // README ends
        try (HostFile file = directory.open("disk.qcow2", Access.READ_ONLY)) {
            return new Auditor().audit(file).toText();
        }
    }
}
