package dev.qcow2.conformance.formal;

import java.time.Duration;
import java.util.Optional;

/**
 * How far an implementation followed a graph.
 *
 * @param graph name of the graph
 * @param subject name of the implementation
 * @param states how many states can be told apart
 * @param transitions how many pairs of a state and a request there are
 * @param statesReached how many states were reached; the others need a choice that the implementation does not take
 * @param replayed how many of the pairs were replayed
 * @param beyondBound how many requests led to images with more host clusters than the bound has
 * @param time how long it took
 * @param refused the feature that the implementation refuses by name, so that nothing could be replayed
 * @param failure the first failure: one with the fewest requests
 */
public record ReplayResult(
        String graph,
        String subject,
        int states,
        int transitions,
        int statesReached,
        int replayed,
        int beyondBound,
        Duration time,
        Optional<String> refused,
        Optional<ReplayFailure> failure) {

    /**
     * Says whether all of the graph was replayed and nothing was wrong.
     *
     * @return true if each state was reached and each of its requests tried
     */
    public boolean complete() {
        return failure.isEmpty() && refused.isEmpty() && statesReached == states && replayed == transitions;
    }

    /**
     * Returns a line for reports.
     *
     * @return without the failure's text
     */
    public String toLine() {
        String what = refused.map(feature -> "left out: it refuses " + feature)
                .orElse(failure.isPresent() ? "LEAVES THE MODEL" : "follows the model");
        return String.format(
                "%-22s %-12s %,7d of %,7d states %,9d of %,9d transitions %7.1f s  %s",
                graph, subject, statesReached, states, replayed, transitions, time.toMillis() / 1000.0, what);
    }
}
