package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.tla.ModelRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Each fault that is seeded into the model has its like in code, and somebody finds it there. */
class TriangleTest {

    @Test
    @DisplayName("no clause: no row of the triangle is empty")
    void closed() throws Exception {
        Triangle triangle = Triangle.load();
        // Before anybody has looked every row with a fault of code is a hole.
        assertThat(triangle.holes()).hasSizeGreaterThanOrEqualTo(triangle.codeFaults());
        Path scratch = Path.of("target", "triangle");
        triangle.search(new ModelRun(scratch, Duration.ofMinutes(5), "1g"), scratch, 2, name -> {});
        Files.createDirectories(Path.of("target"));
        Files.writeString(
                Path.of("target", "triangle.md"),
                triangle.table().toMarkdown() + "\n" + String.join("\n\n", triangle.reasons()) + "\n");
        assertThat(triangle.holes()).isEmpty();
        assertThat(triangle.rows()).hasSize(120);
    }
}
