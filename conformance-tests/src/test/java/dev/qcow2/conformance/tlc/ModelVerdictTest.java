package dev.qcow2.conformance.tlc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.tla.Counterexample;
import dev.qcow2.spec.tla.FaultCase;
import dev.qcow2.spec.tla.ModelCase;
import dev.qcow2.spec.tla.ModelOutcome;
import dev.qcow2.spec.tla.ModelScope;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What counts as other than expected. */
class ModelVerdictTest {

    private static final ModelCase MODEL = new ModelCase("m", "Disk", ModelScope.SMALL, 10, List.of(), "");
    private static final FaultCase FAULT = new FaultCase("f", "m", "GuestView", 2, "-", "");

    private static ModelOutcome outcome(long states, @Nullable Counterexample found) {
        return new ModelOutcome(states, 0, 0, Duration.ZERO, found, Map.of());
    }

    private static Counterexample broken(String property, int steps) {
        Counterexample.Step step = new Counterexample.Step(1, "begin", Map.of());
        return new Counterexample(property, java.util.Collections.nCopies(steps, step));
    }

    @Test
    @DisplayName("no clause: a model that holds with its states is right, any other is wrong")
    void models() {
        assertThat(new ModelVerdict(MODEL, null, outcome(10, null), null).wrong())
                .isEmpty();
        assertThat(new ModelVerdict(MODEL, null, outcome(9, null), null).wrong())
                .contains("has 9 states, models.txt says 10");
        assertThat(new ModelVerdict(MODEL, null, outcome(10, broken("P", 3)), null).wrong())
                .contains("P is broken in 3 states");
    }

    @Test
    @DisplayName("no clause: a fault must be refuted, by its property, in so many states")
    void faults() {
        assertThat(new ModelVerdict(MODEL, FAULT, outcome(5, broken("GuestView", 2)), null).wrong())
                .isEmpty();
        assertThat(new ModelVerdict(MODEL, FAULT, outcome(10, null), null).wrong())
                .contains("is not refuted");
        assertThat(new ModelVerdict(MODEL, FAULT, outcome(5, broken("Other", 2)), null).wrong())
                .contains("breaks Other first, faults.txt says GuestView");
        assertThat(new ModelVerdict(MODEL, FAULT, outcome(5, broken("GuestView", 3)), null).wrong())
                .contains("takes 3 states, faults.txt allows 2");
    }
}
