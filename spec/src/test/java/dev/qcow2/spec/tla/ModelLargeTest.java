package dev.qcow2.spec.tla;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The large bounds, one after the other; minutes each, so only on demand. */
@EnabledIfSystemProperty(
        named = "qcow2.model.large",
        matches = ".*",
        disabledReason = "the large bounds take long; ask for them with -Dqcow2.model.large=yes")
class ModelLargeTest {

    private static final ModelRun RUNNER = new ModelRun(Path.of("target", "models"), Duration.ofHours(2), "3g");

    @TestFactory
    Stream<DynamicTest> everyLargeModelHoldsAndHasTheExpectedNumberOfStates() throws Exception {
        return ModelTable.load().models(ModelScope.LARGE).stream()
                .map(model -> DynamicTest.dynamicTest(
                        String.join(" ", model.clauses()) + " " + model.name() + ": " + model.meaning(), () -> {
                            ModelOutcome outcome = RUNNER.run(model);
                            Counterexample broken = outcome.counterexample();
                            assertThat(broken == null ? "holds" : broken.readable())
                                    .isEqualTo("holds");
                            assertThat(outcome.distinctStates()).isEqualTo(model.distinctStates());
                        }));
    }
}
