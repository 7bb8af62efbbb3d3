package dev.qcow2.conformance.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.conformance.qemu.QemuTools;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same commands on the same images give the same texts, exit codes and bytes with qemu-io and with both implementations. */
class IoDifferentialTest {

    private static final int MOST_SHOWN = 5;
    private static final int SEQUENCES = 15;

    @TempDir
    private Path folder = Path.of("");

    @BeforeEach
    void needQemu() {
        assumeTrue(QemuTools.find().isPresent(), "qemu-img or qemu-io is not installed: nothing to compare with");
    }

    private static List<IoCase> table() throws IOException {
        try (InputStream stream =
                Objects.requireNonNull(IoDifferentialTest.class.getResourceAsStream("commands.txt"))) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(IoCase::parse)
                    .toList();
        }
    }

    @Test
    @DisplayName("each line of commands.txt")
    void table_of_commands() throws IOException {
        List<IoCase> table = table();
        assertThat(table).hasSizeGreaterThan(150);
        IoComparison comparison =
                new IoComparison(IoImages.make(Files.createDirectory(folder.resolve("images"))), folder);
        List<String> differences = new ArrayList<>();
        for (IoCase each : table) {
            differences.addAll(comparison.differences(each, "reference", "optimized"));
        }
        assertThat(differences.stream().limit(MOST_SHOWN)).isEmpty();
    }

    @Test
    @DisplayName("random sequences; one that differs is cut down to the commands that matter")
    void random_sequences() throws IOException {
        IoComparison comparison =
                new IoComparison(IoImages.make(Files.createDirectory(folder.resolve("images"))), folder);
        for (long seed = 1; seed <= SEQUENCES; seed++) {
            IoCase each = new IoSequences(seed).next();
            if (!comparison.differences(each, "reference", "optimized").isEmpty()) {
                IoCase shortest = comparison.shortest(each, "reference", "optimized");
                assertThat(comparison.differences(shortest, "reference", "optimized"))
                        .as("seed %d; a line for commands.txt: %s", seed, shortest)
                        .isEmpty();
            }
        }
    }
}
