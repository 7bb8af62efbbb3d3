package dev.qcow2.conformance.formal;

import dev.qcow2.spec.tla.GraphBound;
import dev.qcow2.spec.tla.GraphDump;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.ModelScope;
import dev.qcow2.spec.tla.ModelTable;
import java.nio.file.Path;
import java.time.Duration;

/** Graphs of the model for tests. */
public final class TestGraphs {

    static final Path SCRATCH = Path.of("target", "model-graphs");
    static final ModelRun RUNNER = new ModelRun(SCRATCH, Duration.ofMinutes(10), "1g");

    private TestGraphs() {}

    static ReplayGraph load(GraphBound bound) throws Exception {
        return ReplayGraph.load(bound, RUNNER, SCRATCH);
    }

    /** As {@link #load}, whatever number of states there is. */
    static ReplayGraph explore(GraphBound bound) throws Exception {
        return ReplayGraph.of(bound, GraphDump.of(RUNNER, bound, SCRATCH));
    }

    /**
     * Makes a small graph.
     *
     * @param name as in {@code graphs.txt}
     * @return the graph
     */
    public static ReplayGraph small(String name) throws Exception {
        return load(ModelTable.load().graphs(ModelScope.SMALL).stream()
                .filter(bound -> bound.name().equals(name))
                .findFirst()
                .orElseThrow());
    }
}
