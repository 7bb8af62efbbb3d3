package dev.qcow2.spec.tla;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a run of TLC found.
 *
 * @param distinctStates how many different states it saw
 * @param generatedStates how many transitions it took
 * @param depth length of the longest of the shortest paths, 0 if it stopped at a counterexample
 * @param time how long it ran
 * @param counterexample how a property was broken, or null if all hold
 */
public record ModelOutcome(
        long distinctStates,
        long generatedStates,
        int depth,
        Duration time,
        @Nullable Counterexample counterexample) {

    /**
     * Says whether every property holds in every state.
     *
     * @return true if there is no counterexample
     */
    public boolean holds() {
        return counterexample == null;
    }
}
