package dev.qcow2.conformance.tlc;

import dev.qcow2.spec.tla.FaultCase;
import dev.qcow2.spec.tla.ModelCase;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Runs TLC on many models and faults, several processes at a time, the long ones first. */
final class ModelChecks {

    /** A run that may be asked for. */
    record Task(ModelCase model, @Nullable FaultCase fault) {

        String name() {
            return fault == null ? model.name() : fault.name();
        }

        /** How much work it is: a fault falls after some hundred states, whatever the model. */
        long weight() {
            return fault == null ? Math.max(SHORT, model.distinctStates()) : SHORT;
        }
    }

    /** The work of starting TLC, in states. */
    private static final long SHORT = 2_000;

    private final Path scratch;
    private final Duration limit;
    private final String heap;
    private final int workers;
    private final Listener listener;

    /** Hears how the runs go on, from several threads. */
    interface Listener {

        /** A run begins. */
        void begins(Task task);

        /** A run has found so many states. */
        void states(Task task, long found);

        /** A run is over. */
        void ends(Task task);
    }

    ModelChecks(Path scratch, Duration limit, String heap, int workers, Listener listener) {
        this.scratch = scratch;
        this.limit = limit;
        this.heap = heap;
        this.workers = workers;
        this.listener = listener;
    }

    /** Runs all tasks; the verdicts come in the order of the tasks. */
    List<ModelVerdict> run(List<Task> tasks) throws IOException, InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(workers);
        try {
            List<Task> longestFirst = new ArrayList<>(tasks);
            longestFirst.sort(Comparator.comparingLong(Task::weight).reversed());
            Map<Task, Future<ModelVerdict>> running = new HashMap<>();
            for (Task task : longestFirst) {
                running.put(task, pool.submit(() -> run(task)));
            }
            List<ModelVerdict> verdicts = new ArrayList<>();
            for (Task task : tasks) {
                Future<ModelVerdict> future = running.get(task);
                if (future != null) {
                    verdicts.add(result(future));
                }
            }
            return verdicts;
        } finally {
            // A run that is interrupted ends its process.
            pool.shutdownNow();
        }
    }

    private ModelVerdict run(Task task) throws IOException {
        listener.begins(task);
        try {
            ModelRun runner = new ModelRun(scratch, limit, heap, found -> listener.states(task, found));
            FaultCase fault = task.fault();
            return new ModelVerdict(
                    task.model(),
                    fault,
                    fault == null ? runner.run(task.model()) : runner.run(task.model(), fault.fault()),
                    null);
        } catch (ModelException e) {
            return new ModelVerdict(task.model(), task.fault(), null, e);
        } finally {
            listener.ends(task);
        }
    }

    private static ModelVerdict result(Future<ModelVerdict> future) throws IOException, InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        }
    }
}
