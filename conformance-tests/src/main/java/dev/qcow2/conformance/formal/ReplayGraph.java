package dev.qcow2.conformance.formal;

import dev.qcow2.spec.tla.GraphBound;
import dev.qcow2.spec.tla.GraphDump;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.StateGraph;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The graph of a model's states, told apart by what can be seen of them: states that differ in the names of host
 * clusters only, or in the stale bytes that nobody reads, are one.
 *
 * <p>Where the model leaves a choice, a request leads to several states; an implementation has to reach one of them.
 */
public final class ReplayGraph {

    private final GraphBound bound;
    private final ModelImage image;
    private final List<String> keys = new ArrayList<>();
    private final List<Integer> hosts = new ArrayList<>();
    private final List<String> guests = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<List<Move>> moves = new ArrayList<>();
    private final int transitions;

    /**
     * A request in a state.
     *
     * @param request what the guest asks for
     * @param targets numbers of the states that it may lead to
     */
    public record Move(ModelRequest request, List<Integer> targets) {

        /** Copies the list. */
        public Move {
            targets = List.copyOf(targets);
        }
    }

    private ReplayGraph(GraphBound bound, ModelImage image, StateGraph graph) {
        this.bound = bound;
        this.image = image;
        ModelObserver observer = new ModelObserver(image, graph);
        int[] seen = new int[graph.states().size()];
        for (int state = 0; state < seen.length; state++) {
            seen[state] = number(observer.observe(state));
        }
        List<Map<ModelRequest, TreeSet<Integer>>> targets = new ArrayList<>();
        keys.forEach(key -> targets.add(new TreeMap<>(Comparator.comparing(ModelRequest::toString))));
        Map<ModelRequest, ModelRequest> known = new HashMap<>();
        for (StateGraph.Edge edge : graph.edges()) {
            ModelRequest request = known.computeIfAbsent(ModelRequest.of(edge), same -> same);
            targets.get(seen[edge.from()])
                    .computeIfAbsent(request, any -> new TreeSet<>(Comparator.comparing(keys::get)))
                    .add(seen[edge.to()]);
        }
        int count = 0;
        for (Map<ModelRequest, TreeSet<Integer>> requests : targets) {
            List<Move> list = new ArrayList<>();
            // Sorted, so that tours do not depend on the order in which TLC finds states.
            requests.forEach((request, states) -> list.add(new Move(request, List.copyOf(states))));
            moves.add(List.copyOf(list));
            count += list.size();
        }
        this.transitions = count;
    }

    private int number(Observation observation) {
        String key = observation.key();
        Integer known = numbers.putIfAbsent(key, keys.size());
        if (known == null) {
            keys.add(key);
            hosts.add(observation.hosts());
            guests.add(observation.guest().toString());
        }
        return known == null ? keys.size() - 1 : known;
    }

    /**
     * Makes a graph of states that are known.
     *
     * @param bound of which bound they are
     * @param graph what TLC found
     * @return the graph
     * @throws ModelException if the bound changes constants that its model has not
     * @throws IOException if the configuration of the bound cannot be read
     */
    public static ReplayGraph of(GraphBound bound, StateGraph graph) throws ModelException, IOException {
        return new ReplayGraph(bound, new ModelImage(bound.constants()), graph);
    }

    /**
     * Has TLC find the states of a bound.
     *
     * @param bound which
     * @param runner runs TLC
     * @param scratch a folder for files that are removed again
     * @return the graph
     * @throws ModelException if TLC gives no answer, or not as many states and transitions as the bound must have
     * @throws IOException if files cannot be written or read
     */
    public static ReplayGraph load(GraphBound bound, ModelRun runner, Path scratch) throws ModelException, IOException {
        StateGraph graph = GraphDump.of(runner, bound, scratch);
        if (graph.states().size() != bound.states() || graph.edges().size() != bound.transitions()) {
            throw new ModelException(
                    "graphs.txt",
                    0,
                    "the graph " + bound.name() + " has " + graph.states().size() + " states and "
                            + graph.edges().size() + " transitions, must have " + bound.states() + " and "
                            + bound.transitions());
        }
        return of(bound, graph);
    }

    /**
     * Returns which bound this is.
     *
     * @return the row of {@code graphs.txt}
     */
    public GraphBound bound() {
        return bound;
    }

    /**
     * Returns the image that stands for the bound.
     *
     * @return its sizes and patterns
     */
    public ModelImage image() {
        return image;
    }

    /**
     * Returns how many states can be told apart.
     *
     * @return a number above 0; state 0 is the initial one
     */
    public int states() {
        return keys.size();
    }

    /**
     * Returns how many pairs of a state and a request there are.
     *
     * @return a number
     */
    public int transitions() {
        return transitions;
    }

    /**
     * Returns what can be seen of a state.
     *
     * @param state its number
     * @return one line
     */
    public String key(int state) {
        return keys.get(state);
    }

    /**
     * Returns the requests of a state.
     *
     * @param state its number
     * @return in the order of the model
     */
    public List<Move> moves(int state) {
        return moves.get(state);
    }

    /** Says whether the model leaves a choice somewhere, so that a state must be looked at to know which it is. */
    boolean leavesChoice() {
        return moves.stream()
                .flatMap(List::stream)
                .anyMatch(move -> move.targets().size() > 1);
    }

    /** What the guest sees in a state. */
    String guest(int state) {
        return guests.get(state);
    }

    /** The number of a state, or -1 if the model has none that looks so. */
    int find(String key) {
        return numbers.getOrDefault(key, -1);
    }

    /**
     * Says whether the model may have too few host clusters for what an implementation likes to do: it packs compressed
     * data into host clusters that are in use if no other is left in the bound.
     */
    boolean lacksHosts(int state, Move move) {
        return move.request().action().equals("WriteCompressed")
                && image.hosts() - hosts.get(state) < image.hostsForCompressed();
    }
}
