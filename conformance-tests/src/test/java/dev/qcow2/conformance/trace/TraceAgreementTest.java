package dev.qcow2.conformance.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.campaign.Campaign;
import dev.qcow2.conformance.campaign.CampaignOptions;
import dev.qcow2.conformance.campaign.CampaignResult;
import dev.qcow2.conformance.campaign.Difference;
import dev.qcow2.conformance.campaign.ProgressListener;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.NamedTrace;
import dev.qcow2.spec.tla.TraceChecker;
import dev.qcow2.spec.tla.TraceVerdict;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceOracle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The model checker and the oracle in Java say the same of traces of the campaign: of right ones, and of those that were made
 * wrong by one change.
 */
class TraceAgreementTest {

    private static final long SEQUENCES = Long.getLong("qcow2.trace.sequences", 24);
    private static final int LONGEST = 260;
    private static final int SHORTEST = 25;
    private static final int MOST = 8;
    private static final int OF_EACH_MUTATION = 1;

    @Test
    @DisplayName(
            "QC-REF-03 QC-REF-13 QC-REF-14 QC-L2-03 QC-L2-13 Traces: TLC and the oracle agree on right and on wrong ones")
    void agree() throws Exception {
        List<NamedTrace> traces = recorded();
        assertThat(traces).as("traces of a fitting length").hasSizeGreaterThan(5);
        Map<TraceMutation, Integer> made = new EnumMap<>(TraceMutation.class);
        List<NamedTrace> all = new ArrayList<>(traces);
        for (NamedTrace right : traces) {
            for (TraceMutation mutation : TraceMutation.values()) {
                int before = made.getOrDefault(mutation, 0);
                if (before < OF_EACH_MUTATION) {
                    mutation.of(right.events()).ifPresent(wrong -> {
                        all.add(new NamedTrace(mutation + " of " + right.name(), wrong));
                        made.put(mutation, before + 1);
                    });
                }
            }
        }
        assertThat(made.keySet()).as("mutations that could be made").containsExactly(TraceMutation.values());
        List<TraceVerdict> verdicts =
                new TraceChecker(new ModelRun(Path.of("target", "traces"), Duration.ofMinutes(10), "1g")).check(all);
        for (int i = 0; i < all.size(); i++) {
            NamedTrace trace = all.get(i);
            TraceOracle oracle = new TraceOracle();
            trace.events().forEach(oracle::event);
            int refusedAt = oracle.refusal().isEmpty() ? trace.events().size() : oracle.refusedAt() - 1;
            assertThat(verdicts.get(i).refusedAt())
                    .as("%s: the oracle says %s", trace.name(), oracle.refusal())
                    .isEqualTo(refusedAt);
            assertThat(verdicts.get(i).accepted()).as(trace.name()).isEqualTo(i < traces.size());
        }
    }

    /** Traces of one seed; short ones, so that the build does not wait for the model checker. */
    private static List<NamedTrace> recorded() throws Exception {
        List<NamedTrace> traces = Collections.synchronizedList(new ArrayList<>());
        TraceStore store = (subject, events) -> {
            if (fits(events)) {
                traces.add(new NamedTrace(subject + "-" + traces.size(), events));
            }
        };
        CampaignResult result = Campaign.run(
                CampaignOptions.ofSeed(9)
                        .withSequences(SEQUENCES)
                        .withWorkers(1)
                        .withQemuEvery(0)
                        .withTraces(store),
                List.of(new ReferenceDriver(), new OptimizedDriver()),
                ProgressListener.SILENT);
        assertThat(result.difference().map(Difference::kind)).isNotEqualTo(Optional.of(Difference.Kind.TRACE));
        return List.copyOf(traces.subList(0, Math.min(MOST, traces.size())));
    }

    private static boolean fits(List<TraceEvent> events) {
        return events.size() >= SHORTEST && events.size() <= LONGEST;
    }
}
