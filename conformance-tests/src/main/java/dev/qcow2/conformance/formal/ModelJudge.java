package dev.qcow2.conformance.formal;

import dev.qcow2.spec.disk.DiskDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Answers whether the tests that are made of the model find something wrong with an implementation.
 *
 * <p>Graphs are made once; a question then takes as long as it takes to the first failure.
 */
public final class ModelJudge {

    private final List<ReplayGraph> graphs;
    private final List<List<List<Tours.Leg>>> tours = new ArrayList<>();

    /**
     * Makes a judge.
     *
     * @param graphs what implementations have to follow
     */
    public ModelJudge(List<ReplayGraph> graphs) {
        this.graphs = List.copyOf(graphs);
        for (ReplayGraph graph : graphs) {
            tours.add(Tours.of(graph, ModelVectors.LONGEST));
        }
    }

    /**
     * Judges an implementation. Graphs that need what it refuses by name are left out.
     *
     * @param driver the implementation
     * @return the first failure, or empty if it follows the model
     */
    public Optional<ReplayFailure> firstFailure(DiskDriver driver) {
        for (int i = 0; i < graphs.size(); i++) {
            Optional<ReplayFailure> failure = GraphReplay.run(graphs.get(i), driver, ReplayProgress.SILENT)
                    .failure();
            if (failure.isEmpty()) {
                failure = TourReplay.run(graphs.get(i), tours.get(i), driver, ReplayProgress.SILENT)
                        .failure();
            }
            if (failure.isPresent()) {
                return failure;
            }
        }
        return Optional.empty();
    }
}
