package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.formal.ReplayGraph.Move;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/**
 * Paths through a graph that start at the initial state and together take every request of every state. Greedy: as long as
 * the present state has a request that was not taken yet it takes that one, else it goes the shortest way to a state that
 * has one.
 */
public final class Tours {

    private final ReplayGraph graph;
    private final int longest;
    private final List<BitSet> taken = new ArrayList<>();
    private int left;

    /**
     * A request on the way.
     *
     * @param from the state before
     * @param move the request
     * @param to the state after, one of those that the model permits
     */
    public record Leg(int from, Move move, int to) {}

    private Tours(ReplayGraph graph, int longest) {
        this.graph = graph;
        this.longest = longest;
        for (int state = 0; state < graph.states(); state++) {
            taken.add(new BitSet());
        }
        this.left = graph.transitions();
    }

    /**
     * Finds paths.
     *
     * @param graph which graph
     * @param longest a path ends when it has so many requests
     * @return the paths, the longer ones first
     */
    public static List<List<Leg>> of(ReplayGraph graph, int longest) {
        Tours tours = new Tours(graph, longest);
        List<List<Leg>> paths = new ArrayList<>();
        while (tours.left > 0) {
            List<Leg> path = tours.next();
            if (path.isEmpty()) {
                throw new IllegalStateException(
                        "some states of " + graph.bound().name() + " cannot be reached");
            }
            paths.add(path);
        }
        return paths;
    }

    private List<Leg> next() {
        List<Leg> path = new ArrayList<>();
        int state = 0;
        while (left > 0 && path.size() < longest) {
            int fresh = taken.get(state).nextClearBit(0);
            if (fresh < graph.moves(state).size()) {
                state = take(path, state, fresh);
                continue;
            }
            List<Leg> way = wayToFresh(state);
            // A path that would end before it takes anything new ends here.
            if (way.isEmpty() || (!path.isEmpty() && path.size() + way.size() >= longest)) {
                break;
            }
            path.addAll(way);
            state = way.get(way.size() - 1).to();
        }
        return path;
    }

    private int take(List<Leg> path, int state, int index) {
        taken.get(state).set(index);
        left--;
        Move move = graph.moves(state).get(index);
        // Where the model leaves a choice, the last one is as good as any for going on.
        int target = move.targets().get(move.targets().size() - 1);
        path.add(new Leg(state, move, target));
        return target;
    }

    /** The shortest way to a state with a request that was not taken; empty if there is none. */
    private List<Leg> wayToFresh(int start) {
        Leg[] arrivals = new Leg[graph.states()];
        Deque<Integer> queue = new ArrayDeque<>(List.of(start));
        while (!queue.isEmpty()) {
            int state = queue.remove();
            if (state != start
                    && taken.get(state).nextClearBit(0) < graph.moves(state).size()) {
                return wayBack(arrivals, start, state);
            }
            for (Move move : graph.moves(state)) {
                for (int target : move.targets()) {
                    if (target != start && arrivals[target] == null) {
                        arrivals[target] = new Leg(state, move, target);
                        queue.add(target);
                    }
                }
            }
        }
        return List.of();
    }

    private static List<Leg> wayBack(Leg[] arrivals, int start, int end) {
        List<Leg> way = new ArrayList<>();
        for (int at = end; at != start; at = arrivals[at].from()) {
            way.add(arrivals[at]);
        }
        Collections.reverse(way);
        return way;
    }
}
