package dev.qcow2.conformance.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.campaign.WrongDriver.Fault;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CampaignTest {

    private static final DiskDriver REFERENCE = new ReferenceDriver();
    private static final DiskDriver OPTIMIZED = new OptimizedDriver();

    private static CampaignOptions options(long seed) {
        return CampaignOptions.ofSeed(seed)
                .withQemuEvery(0)
                .withPatience(Duration.ofSeconds(20), Duration.ofSeconds(10));
    }

    private static CampaignResult run(CampaignOptions options, DiskDriver... subjects) throws Exception {
        return Campaign.run(options, List.of(subjects), ProgressListener.SILENT);
    }

    @Test
    @DisplayName("QC-GUEST-01 two right implementations show no difference, and the counts are those of the seed")
    void noDifference() throws Exception {
        CampaignResult first = run(options(7).withSequences(24), REFERENCE, REFERENCE);
        CampaignResult second = run(options(7).withSequences(24).withWorkers(1), REFERENCE, REFERENCE);
        assertThat(first.difference()).isEmpty();
        assertThat(first.sequences()).isEqualTo(24);
        assertThat(second.guestOperations()).isEqualTo(first.guestOperations());
        assertThat(second.coverage().operations()).isEqualTo(first.coverage().operations());
        assertThat(second.coverage().transitions()).isEqualTo(first.coverage().transitions());
    }

    @ParameterizedTest
    @DisplayName("QC-GUEST-01 a wrong implementation is found, and shrunk to one write that is just long enough")
    @CsvSource({"LOSES_A_BYTE, WRONG_BYTES", "CRASHES, CRASH", "REFUSES, REFUSAL"})
    void wrongIsFoundAndShrunk(Fault fault, Kind kind) throws Exception {
        DiskDriver wrong = new WrongDriver(REFERENCE, fault);
        Difference difference = run(options(3), REFERENCE, wrong).difference().orElseThrow();
        assertThat(difference.kind()).isEqualTo(kind);
        assertThat(difference.subject()).isEqualTo("wrong");
        Script minimal = difference.minimal();
        assertThat(minimal.layers()).hasSize(1);
        assertThat(minimal.operations()).singleElement().isInstanceOfSatisfying(Write.class, write -> assertThat(
                        write.length())
                .isBetween(WrongDriver.LONGEST_RIGHT + 1L, 2L * WrongDriver.LONGEST_RIGHT + 2));
    }

    @Test
    @DisplayName("QC-GUEST-01 an implementation that gives no answer is found")
    void hangIsFound() throws Exception {
        DiskDriver wrong = new WrongDriver(REFERENCE, Fault.HANGS);
        CampaignOptions impatient = options(3).withPatience(Duration.ofSeconds(1), Duration.ofSeconds(1));
        Difference difference = run(impatient, wrong).difference().orElseThrow();
        assertThat(difference.kind()).isEqualTo(Kind.HANG);
        assertThat(difference.message()).contains("sleepForEver");
    }

    @Test
    @DisplayName("QC-GUEST-01 a minimal script shows the same difference when it is read back and replayed")
    void replay() throws Exception {
        DiskDriver wrong = new WrongDriver(REFERENCE, Fault.LOSES_A_BYTE);
        Difference difference = run(options(4), REFERENCE, wrong).difference().orElseThrow();
        Script script = ScriptText.parse(ScriptText.write(difference.minimal()));
        Optional<Difference> again = Campaign.replay(script, options(0), List.of(REFERENCE, wrong));
        assertThat(again.orElseThrow().message()).isEqualTo(difference.message());
        assertThat(Campaign.replay(script, options(0), List.of(REFERENCE, REFERENCE)))
                .isEmpty();
    }

    @Test
    @DisplayName("QC-GUEST-01 a message names the request that a wrong byte comes from")
    void messageNamesTheRequest() throws Exception {
        String text = """
                qcow2-script 1
                layer qcow2 4096 version 3 cluster 512 refcount 16
                operations
                write 0 2048 1
                write 512 601 2
                """;
        DiskDriver wrong = new WrongDriver(REFERENCE, Fault.LOSES_A_BYTE);
        Difference difference = Campaign.replay(ScriptText.parse(text), options(0), List.of(REFERENCE, wrong))
                .orElseThrow();
        assertThat(difference.message()).isEqualTo("guest byte 2047 is zero, expected is byte 2047 of fill 1");
    }

    @Test
    @DisplayName("QC-GUEST-01 QC-L2-02 QC-SUB-03 the first hundred sequences meet every transition between states")
    void everyTransition() throws Exception {
        CampaignResult result = run(options(5).withSequences(92), REFERENCE, OPTIMIZED);
        assertThat(result.difference()).isEmpty();
        assertThat(result.coverage().neverReached()).isEmpty();
    }

    @Test
    @DisplayName("QC-GUEST-01 a time limit ends a campaign")
    void timeLimit() throws Exception {
        CampaignResult result =
                run(options(9).withSequences(Long.MAX_VALUE).withTime(Duration.ofSeconds(1)), REFERENCE);
        assertThat(result.difference()).isEmpty();
        assertThat(result.elapsed()).isLessThan(Duration.ofSeconds(20));
        assertThat(result.sequences()).isPositive();
    }
}
