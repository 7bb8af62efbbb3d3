package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.campaign.Campaign;
import dev.qcow2.conformance.campaign.CampaignOptions;
import dev.qcow2.conformance.campaign.CampaignResult;
import dev.qcow2.conformance.campaign.Difference;
import dev.qcow2.conformance.campaign.ProgressListener;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kit is put to the test: with the mutant in the place of the optimized implementation, the
 * campaign finds each of its faults, and nothing where there is none.
 */
class MutantCampaignTest {

    private static final List<String> TABLE = new ArrayList<>();

    /** The default budget, but without QEMU: whatever is found is found by the project's own judges. */
    private static CampaignOptions budget() {
        return CampaignOptions.ofSeed(1).withQemuEvery(0).withPatience(Duration.ofSeconds(5), Duration.ofMillis(1500));
    }

    private static List<DiskDriver> withMutant(Fault... faults) {
        return List.of(new ReferenceDriver(), new MutantDriver(faults));
    }

    static Stream<Fault> faultsOfSequences() {
        return Arrays.stream(Fault.values())
                .filter(fault -> !HeaderRulesTest.HEADER_FAULTS.contains(fault))
                .filter(fault -> !CodeFault.ORDER_FAULTS.contains(fault));
    }

    @Test
    @DisplayName("The mutant without fault: the campaign finds nothing")
    void findsNothingInTheControl() throws IOException, InterruptedException {
        long sequences = Long.getLong("mutant.control.sequences", 150);
        // Nothing hangs here, so patience costs nothing; a busy machine may take its time.
        CampaignOptions patient = budget().withPatience(Duration.ofSeconds(60), Duration.ofSeconds(20));
        CampaignResult result = Campaign.run(patient.withSequences(sequences), withMutant(), ProgressListener.SILENT);
        assertThat(result.difference().map(d -> d + "\n" + ScriptText.write(d.minimal())))
                .isEmpty();
        assertThat(result.sequences()).isEqualTo(sequences);
    }

    @ParameterizedTest
    @MethodSource("faultsOfSequences")
    @DisplayName("Each fault is found within the default budget, and its shrunk script shows it again")
    void findsEachFault(Fault fault) throws IOException, InterruptedException {
        CampaignResult result = Campaign.run(budget(), withMutant(fault), ProgressListener.SILENT);
        assertThat(result.difference()).as(fault.story()).isPresent();
        Difference difference = result.difference().orElseThrow();
        TABLE.add(String.format(
                "| %s | %s | %d | %d | %s | %d |",
                fault,
                fault.clause().id(),
                result.sequences(),
                result.elapsed().toMillis(),
                difference.kind().words(),
                difference.minimal().operations().size()));
        assertThat(Campaign.replay(difference.minimal(), budget(), withMutant(fault)))
                .as("the shrunk script of " + fault)
                .isPresent();
        // The same script finds nothing in the implementation that is right: it shows the fault and nothing else.
        assertThat(Campaign.replay(difference.minimal(), budget(), withMutant()))
                .isEmpty();
    }

    @AfterAll
    static void report() throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add(
                "| Fault | Breaks | Sequences until found | Milliseconds | What was seen | Operations after shrinking |");
        lines.add("|---|---|---|---|---|---|");
        lines.addAll(TABLE);
        lines.forEach(System.out::println);
        Files.createDirectories(Path.of("target"));
        Files.write(Path.of("target", "mutants.md"), lines);
    }
}
