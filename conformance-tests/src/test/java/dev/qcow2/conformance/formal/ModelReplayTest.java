package dev.qcow2.conformance.formal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.campaign.Campaign;
import dev.qcow2.conformance.campaign.CampaignOptions;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.tla.GraphBound;
import dev.qcow2.spec.tla.ModelScope;
import dev.qcow2.spec.tla.ModelTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Both implementations follow the model: every transition of the small graphs, and of a large one those near the initial
 * state. {@code qcow2 replay-model large} replays the large ones wholly.
 */
class ModelReplayTest {

    private static final List<DiskDriver> DRIVERS = List.of(new ReferenceDriver(), new OptimizedDriver());
    private static final Map<GraphBound, Future<ReplayGraph>> GRAPHS = new LinkedHashMap<>();
    private static ExecutorService workers;

    @BeforeAll
    static void startAll() throws Exception {
        workers = Executors.newFixedThreadPool(2);
        for (GraphBound bound : ModelTable.load().graphs(ModelScope.SMALL)) {
            GRAPHS.put(bound, workers.submit(() -> TestGraphs.load(bound)));
        }
    }

    @AfterAll
    static void stopAll() {
        workers.shutdownNow();
    }

    @TestFactory
    Stream<DynamicTest> bothImplementationsFollowEverySmallGraph() {
        return GRAPHS.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        String.join(" ", entry.getKey().model().clauses()) + " graph "
                                + entry.getKey().name(),
                        () -> {
                            ReplayGraph graph = entry.getValue().get();
                            for (ReplayResult result : new ModelReplay(
                                            TestGraphs.RUNNER, TestGraphs.SCRATCH, new ModelReplay.Listener() {})
                                    .replay(graph, DRIVERS)) {
                                assertThat(result.failure().map(ReplayFailure::toText))
                                        .as(result.toLine())
                                        .isEmpty();
                                // Where compressed data goes is the implementation's choice, and the model has all of
                                // them.
                                boolean choice = graph.bound().name().startsWith("compressed");
                                assertThat(result.complete() || choice)
                                        .as(result.toLine())
                                        .isTrue();
                                assertThat(result.replayed())
                                        .as(result.toLine())
                                        .isGreaterThan(graph.transitions() / 4);
                            }
                        }));
    }

    @Test
    @DisplayName("QC-GUEST-11 QC-L2-11 always-copy and skip are one graph, as far as an image can tell")
    void bothModesAreOneGraph() throws Exception {
        GraphBound copy = GRAPHS.keySet().stream()
                .filter(bound -> bound.name().equals("backing"))
                .findFirst()
                .orElseThrow();
        assertThat(copy.constants().text("Mode")).isEqualTo("copy");
        Map<String, String> changes = new LinkedHashMap<>(copy.changes());
        changes.put("Mode", "\"skip\"");
        GraphBound skip = new GraphBound("skip", copy.model(), copy.size(), changes, 0, 0, 0);
        ReplayGraph one = TestGraphs.explore(skip);
        ReplayGraph other = TestGraphs.explore(copy);
        assertThat(describe(other)).containsExactlyInAnyOrderElementsOf(describe(one));
    }

    /** For each of these faults of the model, the graph whose tests find it. */
    static Stream<Arguments> faults() {
        return Stream.of(
                Arguments.of("skip-looks-at-head-only", "one-cluster"),
                Arguments.of("zero-copied-from-backing", "backing"),
                Arguments.of("skip-over-backing-data", "subclusters"));
    }

    @ParameterizedTest
    @MethodSource("faults")
    @DisplayName("an implementation that errs as the model with a seeded fault does is found")
    void faultsOfTheModelAreFound(String fault, String name) throws Exception {
        ReplayGraph right = TestGraphs.small(name);
        assertThat(FaultyModel.find(right, fault, 4, TestGraphs.RUNNER, TestGraphs.SCRATCH))
                .isPresent();
        assertThat(FaultyModel.find(right, "none", 4, TestGraphs.RUNNER, TestGraphs.SCRATCH))
                .isEmpty();
    }

    private static List<String> describe(ReplayGraph graph) {
        List<String> lines = new ArrayList<>();
        for (int state = 0; state < graph.states(); state++) {
            for (ReplayGraph.Move move : graph.moves(state)) {
                List<String> targets = move.targets().stream().map(graph::key).toList();
                lines.add(graph.key(state) + " " + move.request() + " " + targets);
            }
        }
        return lines;
    }

    @TestFactory
    Stream<DynamicTest> theScriptsAreThoseOfTheModel() {
        return GRAPHS.entrySet().stream()
                .filter(entry -> entry.getKey().levels() == 0)
                .map(entry -> DynamicTest.dynamicTest("graph " + entry.getKey().name(), () -> {
                    Map<String, String> made = ModelVectors.of(entry.getValue().get());
                    Map<String, String> kept = new LinkedHashMap<>();
                    try (Stream<Path> files = Files.list(ModelVectors.FOLDER)) {
                        for (Path file : files.sorted().toList()) {
                            String name = file.getFileName().toString();
                            if (name.matches(entry.getKey().name() + "-[0-9]+\\.txt")) {
                                kept.put(name, Files.readString(file));
                            }
                        }
                    }
                    assertThat(kept)
                            .as(
                                    "make them anew with: qcow2 replay-model --vectors conformance-tests/src/main/vectors/model")
                            .isEqualTo(made);
                    // One of each graph goes through the campaign's runner, all of them by the same command.
                    assertThat(Campaign.replay(
                                    ScriptText.parse(kept.values().iterator().next()),
                                    CampaignOptions.ofSeed(0),
                                    DRIVERS))
                            .isEmpty();
                }));
    }
}
