package dev.qcow2.spec.tla;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every small model holds, and every seeded fault is refuted.
 *
 * <p>All runs are queued at the start and a few go on at the same time, each in a JVM of its own; the
 * tests wait for them in the order of the table. The system property qcow2.model.workers says how
 * many at a time.
 */
class ModelTest {

    private static final Path SCRATCH = Path.of("target", "models");
    private static final ModelRun RUNNER = new ModelRun(SCRATCH, Duration.ofMinutes(5), "1g");

    /** Modules whose every action is taken in one of their small bounds. */
    private static final List<String> COUNTED = List.of("Bitmaps", "Chain", "Growth");

    private static final Map<ModelCase, Future<ModelOutcome>> MODELS = new LinkedHashMap<>();
    private static final Map<FaultCase, Future<ModelOutcome>> FAULTS = new LinkedHashMap<>();
    private static ExecutorService workers;

    @BeforeAll
    static void startAll() throws Exception {
        int atATime = Integer.getInteger(
                "qcow2.model.workers", Math.min(2, Runtime.getRuntime().availableProcessors()));
        workers = Executors.newFixedThreadPool(atATime);
        ModelTable table = ModelTable.load();
        for (ModelCase model : table.models(ModelScope.SMALL)) {
            ModelRun runner = COUNTED.contains(model.module()) ? RUNNER.counting() : RUNNER;
            MODELS.put(model, workers.submit(() -> runner.run(model)));
        }
        for (FaultCase fault : table.faults()) {
            ModelCase model = table.model(fault.model(), ModelScope.SMALL);
            FAULTS.put(fault, workers.submit(() -> RUNNER.run(model, fault.fault())));
        }
    }

    @AfterAll
    static void stopAll() {
        workers.shutdownNow();
    }

    @TestFactory
    Stream<DynamicTest> everySmallModelHoldsAndHasTheExpectedNumberOfStates() {
        return MODELS.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        String.join(" ", entry.getKey().clauses()) + " "
                                + entry.getKey().name() + ": "
                                + entry.getKey().meaning(),
                        () -> {
                            ModelOutcome outcome = result(entry.getValue());
                            Counterexample broken = outcome.counterexample();
                            assertThat(broken == null ? "holds" : broken.readable())
                                    .isEqualTo("holds");
                            assertThat(outcome.distinctStates())
                                    .as("distinct states")
                                    .isEqualTo(entry.getKey().distinctStates());
                        }));
    }

    @TestFactory
    Stream<DynamicTest> everySeededFaultIsRefuted() {
        return FAULTS.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey().name() + ": " + entry.getKey().meaning(), () -> {
                            Counterexample found = Objects.requireNonNull(
                                    result(entry.getValue()).counterexample(), "not refuted");
                            assertThat(found.property())
                                    .as(found.readable())
                                    .isEqualTo(entry.getKey().property());
                            assertThat(found.steps())
                                    .as("steps")
                                    .hasSizeLessThanOrEqualTo(entry.getKey().greatestLength());
                        }));
    }

    @TestFactory
    Stream<DynamicTest> everyFaultThatAModuleKnowsIsInTheTable() throws Exception {
        ModelTable table = ModelTable.load();
        return List.of("Mapping", "Tables", "PowerCut", "Bitmaps", "Chain", "Growth").stream()
                .map(module -> DynamicTest.dynamicTest(module, () -> {
                    List<String> known = ModelFaults.namesIn(ModelFiles.text(module + ".tla"));
                    List<String> listed =
                            table.faults().stream().map(FaultCase::fault).toList();
                    assertThat(known).isNotEmpty();
                    assertThat(listed).containsAll(known);
                }));
    }

    @TestFactory
    Stream<DynamicTest> everyActionIsTakenInASmallBound() {
        return COUNTED.stream()
                .map(module -> DynamicTest.dynamicTest(module, () -> {
                    Map<String, Long> taken = new TreeMap<>();
                    for (Map.Entry<ModelCase, Future<ModelOutcome>> model : MODELS.entrySet()) {
                        if (model.getKey().module().equals(module)) {
                            result(model.getValue())
                                    .taken()
                                    .forEach((action, times) -> taken.merge(action, times, Long::sum));
                        }
                    }
                    assertThat(taken).hasSizeGreaterThan(20);
                    assertThat(taken.entrySet())
                            .as("actions that never happen")
                            .noneMatch(action -> action.getValue() == 0);
                }));
    }

    private static ModelOutcome result(Future<ModelOutcome> run) throws Exception {
        try {
            return run.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
