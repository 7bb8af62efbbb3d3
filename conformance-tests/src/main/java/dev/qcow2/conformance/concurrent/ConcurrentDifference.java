package dev.qcow2.conformance.concurrent;

import dev.qcow2.spec.disk.DiskDriver;
import java.util.Optional;

/**
 * A scenario whose requests, all in flight together, left what no order of them leaves.
 *
 * @param subject name of the implementation that did it
 * @param seed from which {@link ConcurrentScenario#generate} makes the scenario again; who comes
 *     first is up to the machine, so that it may take several runs to see the difference again
 * @param message what was found
 */
public record ConcurrentDifference(String subject, long seed, String message) {

    /**
     * Runs the scenario of a seed again and again, until something is wrong.
     *
     * @param seed of the scenario
     * @param subject the implementation under test
     * @param witness an implementation that reads the image afterwards
     * @param times how many runs at most
     * @return what went wrong first, or empty
     * @throws InterruptedException if the caller is to stop
     */
    public static Optional<ConcurrentDifference> find(long seed, DiskDriver subject, DiskDriver witness, int times)
            throws InterruptedException {
        ConcurrentScenario scenario = ConcurrentScenario.generate(seed);
        Optional<String> found = Optional.empty();
        for (int i = 0; i < times && found.isEmpty(); i++) {
            found = ConcurrentRun.judge(scenario, subject, witness);
        }
        return found.map(message -> new ConcurrentDifference(subject.name(), seed, message));
    }

    @Override
    public String toString() {
        return "concurrent requests in " + subject + ", scenario " + seed + ": " + message;
    }
}
