package dev.qcow2.conformance.formal;

import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.tla.GraphBound;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Has TLC find the states of bounds, and replays them on implementations: first each transition on an image of its own,
 * then, for small graphs, tours with a disk that stays open.
 */
public final class ModelReplay {

    /** From here on tours would take too long to find. */
    private static final int MOST_FOR_TOURS = 15_000;

    private final ModelRun runner;
    private final Path scratch;
    private final Listener listener;

    /** Hears what is going on. */
    public interface Listener {

        /**
         * TLC begins to find the states of a bound.
         *
         * @param bound which
         */
        default void exploring(GraphBound bound) {}

        /**
         * A replay begins.
         *
         * @param graph which graph
         * @param subject name of the implementation
         * @param transitions how many requests there will be
         * @return hears how far it is
         */
        default ReplayProgress replaying(ReplayGraph graph, String subject, int transitions) {
            return ReplayProgress.SILENT;
        }

        /**
         * A replay is over.
         *
         * @param result how far it came
         */
        default void done(ReplayResult result) {}
    }

    /**
     * Makes a replay.
     *
     * @param runner runs TLC
     * @param scratch a folder for files that are removed again
     * @param listener hears what is going on
     */
    public ModelReplay(ModelRun runner, Path scratch, Listener listener) {
        this.runner = runner;
        this.scratch = scratch;
        this.listener = listener;
    }

    /**
     * Replays bounds.
     *
     * @param bounds which
     * @param drivers the implementations
     * @return a result for each replay
     * @throws ModelException if TLC gives no answer, or another number of states than the bound must have
     * @throws IOException if files cannot be written or read
     */
    public List<ReplayResult> run(List<GraphBound> bounds, List<? extends DiskDriver> drivers)
            throws ModelException, IOException {
        List<ReplayResult> results = new ArrayList<>();
        for (GraphBound bound : bounds) {
            listener.exploring(bound);
            ReplayGraph graph = ReplayGraph.load(bound, runner, scratch);
            results.addAll(replay(graph, drivers));
        }
        return results;
    }

    /**
     * Replays a graph that is known.
     *
     * @param graph which
     * @param drivers the implementations
     * @return a result for each replay
     */
    public List<ReplayResult> replay(ReplayGraph graph, List<? extends DiskDriver> drivers) {
        List<ReplayResult> results = new ArrayList<>();
        boolean small = graph.transitions() <= MOST_FOR_TOURS && graph.bound().levels() == 0;
        List<List<Tours.Leg>> tours = small ? Tours.of(graph, ModelVectors.LONGEST) : List.of();
        for (DiskDriver driver : drivers) {
            ReplayProgress progress = listener.replaying(graph, driver.name(), graph.transitions());
            results.add(GraphReplay.run(graph, driver, progress));
            listener.done(results.get(results.size() - 1));
            if (small) {
                int legs = tours.stream().mapToInt(List::size).sum();
                progress = listener.replaying(graph, driver.name() + ", open", legs);
                results.add(TourReplay.run(graph, tours, driver, progress));
                listener.done(results.get(results.size() - 1));
            }
        }
        return results;
    }
}
