package dev.qcow2.spec.tla;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a run of TLC found.
 *
 * @param distinctStates how many different states it saw
 * @param generatedStates how many transitions it took
 * @param depth length of the longest of the shortest paths, 0 if it stopped at a counterexample
 * @param time how long it ran
 * @param counterexample how a property was broken, or null if all hold
 * @param taken how often each action was taken; empty unless the run was told to count that
 */
public record ModelOutcome(
        long distinctStates,
        long generatedStates,
        int depth,
        Duration time,
        @Nullable Counterexample counterexample,
        Map<String, Long> taken) {

    /** Copies the map. */
    public ModelOutcome {
        taken = Map.copyOf(taken);
    }

    /**
     * Says whether every property holds in every state.
     *
     * @return true if there is no counterexample
     */
    public boolean holds() {
        return counterexample == null;
    }
}
