package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.tla.ModelRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Each fault that is seeded into the model has its like in code, and somebody finds it there.
 *
 * <p>That every fault of code is found stands elsewhere for each kind: {@code MutantCampaignTest} and {@code HeaderRulesTest}
 * for those of sequences, {@code PowerCutTest} for orders, {@code FeatureFaultTest}, {@code StructureFaultTest}, and
 * {@code ConcurrentRunTest} for races. Here it is who finds it; {@code qcow2 model --triangle} fills the whole table.
 */
class TriangleTest {

    @Test
    @DisplayName("no clause: each seeded fault has faults of code, which are known, or a reason why there are none")
    void complete() throws Exception {
        Triangle triangle = Triangle.load();
        assertThat(triangle.rows()).hasSize(120);
        for (Triangle.Row row : triangle.rows()) {
            assertThat(row.code().isEmpty())
                    .as(row.fault().name())
                    .isNotEqualTo(row.reason().isEmpty());
            row.code().forEach(name -> assertThat(CodeFault.of(name).name()).isEqualTo(name));
        }
    }

    @Test
    @DisplayName("no clause: no row of the triangle is empty, in a sample of them")
    void closed() throws Exception {
        Triangle triangle = Triangle.load().sample(Integer.getInteger("qcow2.triangle.every", 10));
        // Before anybody has looked every row with a fault of code is a hole.
        assertThat(triangle.holes()).hasSizeGreaterThanOrEqualTo(triangle.codeFaults());
        Path scratch = Path.of("target", "triangle");
        triangle.search(new ModelRun(scratch, Duration.ofMinutes(5), "1g"), scratch, 2, name -> {});
        Files.createDirectories(Path.of("target"));
        Files.writeString(
                Path.of("target", "triangle.md"),
                triangle.table().toMarkdown() + "\n" + String.join("\n\n", triangle.reasons()) + "\n");
        assertThat(triangle.holes()).isEmpty();
        assertThat(triangle.rows()).hasSizeGreaterThan(10);
    }
}
