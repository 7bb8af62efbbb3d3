package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.concurrent.ConcurrentDifference;
import dev.qcow2.conformance.concurrent.ConcurrentScenario;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The share of a campaign in which requests overlap in time: many threads on one disk, each scenario
 * on one implementation, all of which get their turn.
 *
 * <p>What is found here can't be shrunk, for it need not happen again. So it ends this share only,
 * and the campaign goes on: it may find a script for the same fault.
 */
final class ConcurrentShare {

    /** One in so many scenarios goes to those who take part in every sequence, the others rotate. */
    private static final int MAIN_EVERY = 3;

    private final long seed;
    private final int every;
    private final List<DiskDriver> subjects;
    private final List<DiskDriver> rotating;
    private final AtomicLong sequences = new AtomicLong();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicInteger mostInFlight = new AtomicInteger();
    private @Nullable ConcurrentDifference first;

    ConcurrentShare(CampaignOptions options, List<DiskDriver> subjects) {
        this.seed = options.seed();
        this.every = options.concurrentEvery();
        this.subjects = subjects;
        this.rotating = options.rotating();
    }

    /** Runs a scenario if the sequence of that index has one. */
    void runIfDue(long index) throws InterruptedException {
        if (every == 0 || index % every != 0 || difference().isPresent()) {
            return;
        }
        long turn = index / every;
        // Seed and turn decide, as for sequences; the sign is dropped to make commands easier to type.
        long scenarioSeed = new SplittableRandom(seed ^ Long.rotateLeft(turn, 32)).nextLong() >>> 1;
        DiskDriver subject = subject(turn);
        Optional<ConcurrentDifference> found =
                ConcurrentDifference.find(scenarioSeed, subject, witness(subject, subjects), 1);
        ConcurrentScenario scenario = ConcurrentScenario.generate(scenarioSeed);
        int inFlight = scenario.threads().size();
        sequences.incrementAndGet();
        requests.addAndGet(scenario.threads().stream().mapToLong(List::size).sum());
        mostInFlight.accumulateAndGet(inFlight, Math::max);
        found.ifPresent(this::keepFirst);
    }

    private DiskDriver subject(long turn) {
        if (rotating.isEmpty() || turn % MAIN_EVERY == 0) {
            long step = rotating.isEmpty() ? turn : turn / MAIN_EVERY;
            return subjects.get((int) (step % subjects.size()));
        }
        return rotating.get((int) ((turn - turn / MAIN_EVERY - 1) % rotating.size()));
    }

    /** Who reads the image afterwards: somebody else, if there is somebody else. */
    private static DiskDriver witness(DiskDriver subject, List<DiskDriver> candidates) {
        return candidates.stream()
                .filter(driver -> !driver.name().equals(subject.name()))
                .findFirst()
                .orElse(subject);
    }

    private synchronized void keepFirst(ConcurrentDifference found) {
        if (first == null) {
            first = found;
        }
    }

    private synchronized Optional<ConcurrentDifference> difference() {
        return Optional.ofNullable(first);
    }

    ConcurrentResult result() {
        return new ConcurrentResult(sequences.get(), requests.get(), mostInFlight.get(), difference());
    }
}
