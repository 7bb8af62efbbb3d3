package dev.qcow2.conformance.formal;

import dev.qcow2.spec.tla.GraphBound;
import dev.qcow2.spec.tla.GraphDump;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.StateGraph;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The model with a seeded fault plays the implementation: would the tests that are made of the right model find the fault?
 *
 * <p>An implementation that errs as the faulty model does goes through its states. The tests find it if some transition
 * leads to a state that looks like none of those that the right model permits there.
 */
public final class FaultyModel {

    private final ReplayGraph right;
    private final StateGraph faulty;
    private final int[] seen;
    private final Map<Integer, StateGraph.Edge> arrivals = new HashMap<>();

    private FaultyModel(ReplayGraph right, StateGraph faulty) {
        this.right = right;
        this.faulty = faulty;
        ModelObserver observer = new ModelObserver(right.image(), faulty);
        this.seen = new int[faulty.states().size()];
        for (int state = 0; state < seen.length; state++) {
            seen[state] = right.find(observer.observe(state).key());
        }
    }

    /**
     * Looks for a transition that gives a fault of module Mapping away.
     *
     * @param right the graph of the model without fault
     * @param fault name of the fault, as in {@code faults.txt}
     * @param levels how many requests are made at most
     * @param runner runs TLC
     * @param scratch a folder for files that are removed again
     * @return the shortest sequence of requests that shows the fault, or empty
     * @throws ModelException if TLC gives no answer
     * @throws IOException if files cannot be written or read
     */
    public static Optional<List<ModelRequest>> find(
            ReplayGraph right, String fault, int levels, ModelRun runner, Path scratch)
            throws ModelException, IOException {
        GraphBound bound = right.bound();
        Map<String, String> changes = new HashMap<>(bound.changes());
        changes.put(ModelRun.FAULT, "\"" + fault + "\"");
        GraphBound wrong = new GraphBound(fault, bound.model(), bound.size(), changes, levels, 0, 0);
        return new FaultyModel(right, GraphDump.of(runner, wrong, scratch)).find();
    }

    private Optional<List<ModelRequest>> find() {
        Map<Integer, List<StateGraph.Edge>> edges = new HashMap<>();
        for (StateGraph.Edge edge : faulty.edges()) {
            edges.computeIfAbsent(edge.from(), any -> new ArrayList<>()).add(edge);
        }
        Deque<Integer> queue = new ArrayDeque<>(List.of(0));
        while (!queue.isEmpty()) {
            for (StateGraph.Edge edge : edges.getOrDefault(queue.remove(), List.of())) {
                ModelRequest request = ModelRequest.of(edge);
                Optional<ReplayGraph.Move> move = right.moves(seen[edge.from()]).stream()
                        .filter(candidate -> candidate.request().equals(request))
                        .findFirst();
                if (move.isPresent() && !move.get().targets().contains(seen[edge.to()])) {
                    return Optional.of(path(edge));
                }
                if (move.isPresent() && edge.to() != 0 && arrivals.putIfAbsent(edge.to(), edge) == null) {
                    queue.add(edge.to());
                }
            }
        }
        return Optional.empty();
    }

    private List<ModelRequest> path(StateGraph.Edge last) {
        List<ModelRequest> path = new ArrayList<>(List.of(ModelRequest.of(last)));
        for (int at = last.from(); at != 0; ) {
            StateGraph.Edge edge = Objects.requireNonNull(arrivals.get(at));
            path.add(ModelRequest.of(edge));
            at = edge.from();
        }
        Collections.reverse(path);
        return path;
    }
}
