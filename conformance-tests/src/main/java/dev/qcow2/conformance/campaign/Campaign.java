package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.conformance.generate.ScriptGenerator;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Runs many sequences on a list of implementations, and stops at the first difference.
 *
 * <p>Each sequence depends on the seed and its index alone; workers take the next index. If several
 * sequences differ at the same time the one with the lowest index is reported.
 */
public final class Campaign {

    private static final int HOST_TRACE_EVERY = 16;

    private final CampaignOptions options;
    private final List<DiskDriver> subjects;
    private final ProgressListener listener;
    private final Surroundings surroundings;
    private final ScriptGenerator generator;
    private final Coverage coverage;
    private final ConcurrentShare concurrent;
    private final AtomicLong nextIndex = new AtomicLong();
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong guestOperations = new AtomicLong();
    private final AtomicLong qemuSequences = new AtomicLong();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final long startedNanos = System.nanoTime();
    private @Nullable Difference first;
    private long firstIndex;

    private Campaign(
            CampaignOptions options, List<DiskDriver> subjects, ProgressListener listener, Surroundings surroundings) {
        this.options = options;
        this.subjects = List.copyOf(subjects);
        this.listener = listener;
        this.surroundings = surroundings;
        this.coverage = surroundings.coverage();
        this.concurrent = new ConcurrentShare(options, this.subjects);
        this.generator = new ScriptGenerator(options.seed(), surroundings.offers());
    }

    /**
     * Runs a campaign.
     *
     * @param options how much is done
     * @param subjects implementations that take part in every sequence
     * @param listener hears of the progress
     * @return what was done and found
     * @throws IOException if files for QEMU can't be made, or the image to start from can't be read
     * @throws InterruptedException if the thread is interrupted
     */
    public static CampaignResult run(CampaignOptions options, List<DiskDriver> subjects, ProgressListener listener)
            throws IOException, InterruptedException {
        Optional<QemuTools> qemu = options.qemuEvery() > 0 ? QemuTools.find() : Optional.empty();
        try (Surroundings surroundings = Surroundings.prepare(subjects, qemu, options.image())) {
            return new Campaign(options, subjects, listener, surroundings).run();
        }
    }

    /**
     * Runs one script.
     *
     * @param script what to run
     * @param options how long it may take
     * @param drivers on which implementations
     * @return what is wrong, or empty
     * @throws IOException if files for QEMU can't be made, or the image to start from can't be read
     * @throws InterruptedException if the thread is interrupted
     */
    public static Optional<Difference> replay(Script script, CampaignOptions options, List<DiskDriver> drivers)
            throws IOException, InterruptedException {
        boolean asked = script.qemuJudges()
                || script.image().isPresent()
                || script.operations().stream().anyMatch(step -> step.kind() == Operation.Kind.QEMU);
        Optional<QemuTools> qemu = asked && options.qemuEvery() > 0 ? QemuTools.find() : Optional.empty();
        Optional<Path> image = script.image().map(Path::of);
        try (Surroundings surroundings = Surroundings.prepare(drivers, qemu, image)) {
            return new Watchdog(
                            surroundings.panel(new Coverage()).withTraces(options.traces(), true), options.patience())
                    .run(script, drivers);
        }
    }

    private CampaignResult run() throws InterruptedException {
        List<Thread> workers = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < options.workers(); i++) {
            Thread worker = new Thread(this::work, "campaign-" + i);
            worker.setUncaughtExceptionHandler((thread, failure) -> {
                stop.set(true);
                synchronized (failures) {
                    failures.add(failure);
                }
            });
            workers.add(worker);
            worker.start();
        }
        for (Thread worker : workers) {
            worker.join();
        }
        if (!failures.isEmpty()) {
            throw new IllegalStateException("a worker failed", failures.get(0));
        }
        return result(shrunk());
    }

    private void work() {
        try {
            while (!stop.get() && !timeIsUp()) {
                long index = nextIndex.getAndIncrement();
                if (index >= options.sequences()) {
                    return;
                }
                runSequence(index);
                concurrent.runIfDue(index);
                listener.sequenceDone(done.incrementAndGet(), options.sequences());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean timeIsUp() {
        return options.time().isPresent()
                && System.nanoTime() - startedNanos > options.time().get().toNanos();
    }

    private void runSequence(long index) throws InterruptedException {
        boolean qemu = options.qemuEvery() > 0 && index % options.qemuEvery() == 0;
        Script drawn = surroundings.facts().isPresent()
                ? generator.script(index, surroundings.facts().get(), qemu)
                : generator.script(index, qemu);
        Set<Feature> needed = Feature.neededBy(drawn);
        List<DiskDriver> drivers = drivers(index, needed);
        Script script =
                drawn.withSubjects(drivers.stream().map(DiskDriver::name).toList());
        coverage.geometry(script);
        coverage.features(needed);
        // The order of writes costs more to judge, so it is judged on a sample.
        boolean host = options.traces().isPresent() || index % HOST_TRACE_EVERY == 0;
        Optional<Difference> difference = new Watchdog(
                        surroundings.panel(coverage).withTraces(options.traces(), host), options.patience())
                .run(script, drivers);
        guestOperations.addAndGet(script.operations().size());
        qemuSequences.addAndGet(qemu && surroundings.qemu().isPresent() ? 1 : 0);
        if (difference.isPresent()) {
            stop.set(true);
            keepFirst(index, difference.get());
        }
    }

    /** Those whose turn it is, without those who lack something. */
    private List<DiskDriver> drivers(long index, Set<Feature> needed) {
        List<DiskDriver> drivers = new ArrayList<>(subjects);
        if (!options.rotating().isEmpty()) {
            drivers.add(options.rotating().get((int) (index % options.rotating().size())));
        }
        drivers.removeIf(driver -> !surroundings.features(driver).containsAll(needed));
        return drivers;
    }

    private synchronized void keepFirst(long index, Difference difference) {
        if (first == null || index < firstIndex) {
            first = difference;
            firstIndex = index;
        }
    }

    private synchronized Optional<Difference> shrunk() throws InterruptedException {
        if (first == null) {
            return Optional.empty();
        }
        Difference found = first;
        Difference.Kind kind = found.kind();
        List<DiskDriver> drivers = drivers(firstIndex, Feature.neededBy(found.original()));
        Duration patience =
                Duration.ofSeconds(Math.max(2, Math.min(10, options.patience().toSeconds())));
        Watchdog watchdog = new Watchdog(surroundings.panel(new Coverage()), patience);
        Script smallest = new Shrinker(
                        cut(found),
                        script -> watchdog.run(script, drivers)
                                .filter(other -> other.kind() == kind)
                                .isPresent(),
                        options.shrinking(),
                        listener)
                .shrink();
        // The message belongs to the script that is shown.
        return Optional.of(watchdog.run(smallest, drivers)
                .map(small -> new Difference(
                        small.kind(), small.subject(), small.step(), small.message(), found.original(), smallest))
                .orElse(found));
    }

    /** What comes after the difference had no part in it. */
    private static Script cut(Difference difference) {
        Script script = difference.original();
        boolean hang = difference.kind() == Difference.Kind.HANG;
        int end = Math.min(script.operations().size(), difference.step() + 1);
        return hang ? script : script.withOperations(script.operations().subList(0, end));
    }

    private CampaignResult result(Optional<Difference> difference) {
        List<String> oracles = new ArrayList<>(List.of("model", "auditor"));
        subjects.forEach(driver -> oracles.add(driver.name()));
        List<DiskDriver> rotating = options.rotating();
        if (!rotating.isEmpty()) {
            String last = rotating.get(rotating.size() - 1).name();
            oracles.add(rotating.get(0).name() + " to " + last + " (" + rotating.size() + " in turn)");
        }
        surroundings
                .qemu()
                .ifPresent(
                        tools -> oracles.add("QEMU " + tools.version() + " (" + qemuSequences.get() + " sequences)"));
        return new CampaignResult(
                options.seed(),
                done.get(),
                guestOperations.get(),
                qemuSequences.get(),
                Duration.ofNanos(System.nanoTime() - startedNanos),
                oracles,
                surroundings.notes(),
                coverage,
                concurrent.result(),
                difference);
    }
}
