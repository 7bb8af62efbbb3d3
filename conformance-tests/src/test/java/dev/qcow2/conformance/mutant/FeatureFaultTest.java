package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each fault in what goes beyond the plain format is found by judges who do not know it, and nothing where there is none. */
class FeatureFaultTest {

    private static final List<String> TABLE = new ArrayList<>();

    @ParameterizedTest
    @EnumSource
    @DisplayName("The wrapper without fault: the judges find nothing")
    void findsNothingInTheControl(FeatureFault.Form form) {
        assertThat(FeatureJudge.judge(form, new FeatureFaultDriver(Optional.empty())))
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Each fault is found by a short sequence that all faults of its form of image share")
    void findsEachFault(FeatureFault fault) {
        List<String> findings = FeatureJudge.judge(fault.form(), new FeatureFaultDriver(Optional.of(fault)));
        assertThat(findings).as(fault.story() + " As in: " + fault.resembles()).isNotEmpty();
        TABLE.add(String.format(
                "| %s | %s | %s | %s |",
                fault,
                fault.clause().id(),
                fault.story(),
                findings.get(0).replace("|", "\\|").replace("\n", " ")));
    }

    @AfterAll
    static void report() throws IOException {
        List<String> lines =
                new ArrayList<>(List.of("", "| Fault | Breaks | Story | First finding |", "|---|---|---|---|"));
        lines.addAll(TABLE);
        Files.createDirectories(Path.of("target"));
        Files.write(Path.of("target", "mutants.md"), lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
