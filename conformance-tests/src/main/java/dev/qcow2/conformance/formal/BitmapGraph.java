package dev.qcow2.conformance.formal;

import dev.qcow2.spec.tla.BitmapGraphs;
import dev.qcow2.spec.tla.ModelCase;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.ModelScope;
import dev.qcow2.spec.tla.ModelTable;
import dev.qcow2.spec.tla.StateGraph;
import dev.qcow2.spec.tla.TlaValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The requests of module Bitmaps: the steps of each are one transition here, from a state in which nothing is under way to
 * the next such. States that look the same from outside, in memory and in the file, are not told apart.
 */
public final class BitmapGraph {

    /**
     * A request, or what happens to the image between two.
     *
     * @param kind as the module calls it
     * @param name the bitmap that it is about, or an empty text
     * @param other the bitmap that is merged into it, or an empty text
     * @param clusters those that change; for a resize all of them
     * @param enabled for a bitmap that is added, enabled or disabled
     */
    record Request(String kind, String name, String other, List<Integer> clusters, boolean enabled) {

        Request {
            clusters = List.copyOf(clusters);
        }

        static Request of(String kind) {
            return new Request(kind, "", "", List.of(), false);
        }
    }

    /**
     * A transition.
     *
     * @param request what happens
     * @param target the number of the state that it leads to
     */
    record Move(Request request, int target) {}

    private final StateGraph graph;
    private final Map<Integer, List<Move>> moves = new TreeMap<>();
    private int transitions;

    private BitmapGraph(StateGraph graph) {
        this.graph = graph;
        Map<Integer, List<StateGraph.Edge>> edges = new HashMap<>();
        graph.edges().forEach(edge -> edges.computeIfAbsent(edge.from(), from -> new ArrayList<>())
                .add(edge));
        Deque<Integer> queue = new ArrayDeque<>(List.of(0));
        while (!queue.isEmpty()) {
            int state = queue.remove();
            if (moves.containsKey(state)) {
                continue;
            }
            List<Move> list = new ArrayList<>();
            for (StateGraph.Edge edge : edges.getOrDefault(state, List.of())) {
                // A request may leave everything as it is; a flush is none.
                if (edge.to() != state) {
                    rest(edge.to(), edges).ifPresent(end -> list.add(new Move(request(edge), end)));
                }
            }
            moves.put(state, list);
            transitions += list.size();
            list.forEach(move -> queue.add(move.target()));
        }
    }

    /**
     * Has TLC find the states of a bound.
     *
     * @param model the name of a small model of module Bitmaps
     * @param constants constants that have another value
     * @param runner runs TLC
     * @param scratch a folder for files that are removed again
     * @return the graph
     * @throws ModelException if TLC gives no answer
     * @throws IOException if files cannot be written or read
     */
    public static BitmapGraph load(String model, Map<String, String> constants, ModelRun runner, Path scratch)
            throws ModelException, IOException {
        ModelCase bound = ModelTable.load().model(model, ModelScope.SMALL);
        return new BitmapGraph(BitmapGraphs.of(runner, bound, constants, scratch));
    }

    private boolean atRest(int state) {
        String mode = text(graph.value(state, "mode"));
        return !mode.startsWith("foreign")
                && text(graph.value(state, "work").field("step")).equals("idle");
    }

    /** The state to which the steps of a request lead; none if the bound has no place for what it stores. */
    private Optional<Integer> rest(int from, Map<Integer, List<StateGraph.Edge>> edges) {
        int state = from;
        while (!atRest(state)) {
            int here = state;
            Optional<StateGraph.Edge> next = edges.getOrDefault(state, List.of()).stream()
                    .filter(edge -> edge.to() != here && !edge.action().equals("Die"))
                    .findFirst();
            if (next.isEmpty()) {
                return Optional.empty();
            }
            state = next.get().to();
        }
        return Optional.of(state);
    }

    private Request request(StateGraph.Edge edge) {
        TlaValue work = graph.value(edge.to(), "work");
        String kind = text(work.field("kind"));
        if (kind.equals("none")) {
            return Request.of(
                    switch (edge.action()) {
                        case "Open" -> "open";
                        case "Close" -> "close";
                        case "Die" -> "die";
                        case "Repair" -> "repair";
                        case "ForeignOpens" -> "foreign";
                        default -> throw new IllegalStateException("no request begins with " + edge.action());
                    });
        }
        List<Integer> clusters = new ArrayList<>();
        if (work.field("set") instanceof TlaValue.Group set) {
            set.members().forEach(cluster -> clusters.add(Integer.parseInt(cluster.toString())));
        }
        return new Request(
                kind,
                name(work.field("name")),
                name(work.field("other")),
                clusters.stream().sorted().toList(),
                truth(work.field("flag")));
    }

    private static String name(TlaValue name) {
        return text(name).equals("Nowhere") ? "" : text(name);
    }

    static String text(TlaValue value) {
        return value instanceof TlaValue.Text text ? text.value() : value.toString();
    }

    private static boolean truth(TlaValue value) {
        return value instanceof TlaValue.Truth truth && truth.value();
    }

    /**
     * Returns how many states there are in which nothing is under way.
     *
     * @return a number above 0
     */
    public int states() {
        return moves.size();
    }

    /**
     * Returns how many requests there are in all of these states.
     *
     * @return a number
     */
    public int transitions() {
        return transitions;
    }

    List<Move> moves(int state) {
        return moves.getOrDefault(state, List.of());
    }

    boolean isOpen(int state) {
        return text(graph.value(state, "mode")).equals("ours");
    }

    /** How many clusters the disk has. */
    int size(int state) {
        return Integer.parseInt(
                graph.value(state, "header").field("now").field("size").toString());
    }

    /** What can be seen: the size, what is in memory if the disk is open, and what whoever opens the file would find. */
    String key(int state) {
        String memory = isOpen(state) ? "memory " + live(state) + ", " : "";
        return "size " + size(state) + ", " + memory + "file " + stored(state);
    }

    private String live(int state) {
        Map<String, String> bitmaps = new TreeMap<>();
        fields(graph.value(state, "live")).forEach((name, live) -> {
            if (truth(live.field("there"))) {
                boolean broken = truth(live.field("broken"));
                bitmaps.put(name, bitmap(truth(live.field("enabled")), broken, members(live.field("bits"))));
            }
        });
        return bitmaps.toString();
    }

    /** One bitmap as it can be seen. */
    static String bitmap(boolean enabled, boolean inUse, List<Integer> dirty) {
        return (enabled ? "enabled " : "disabled ") + (inUse ? "in use" : new TreeSet<>(dirty).toString());
    }

    private String stored(int state) {
        TlaValue header = graph.value(state, "header").field("now");
        Map<String, String> bitmaps = new TreeMap<>();
        TlaValue entries = fields(graph.value(state, "dirs")).get(text(header.field("dir")));
        if (truth(header.field("auto")) && entries != null) {
            fields(entries).forEach((name, field) -> {
                TlaValue entry = field.field("now");
                if (truth(entry.field("there"))) {
                    bitmaps.put(
                            name,
                            bitmap(
                                    truth(entry.field("enabled")),
                                    truth(entry.field("inUse")),
                                    bits(state, text(entry.field("place")))));
                }
            });
        }
        return bitmaps.toString();
    }

    private List<Integer> bits(int state, String place) {
        TlaValue bits = fields(graph.value(state, "bits")).get(place);
        List<Integer> dirty = new ArrayList<>();
        for (int cluster = 1;
                bits instanceof TlaValue.Sequence fields
                        && cluster <= fields.members().size();
                cluster++) {
            if (text(bits.at(cluster).field("now")).equals("set")) {
                dirty.add(cluster);
            }
        }
        return dirty;
    }

    private static List<Integer> members(TlaValue set) {
        return set instanceof TlaValue.Group group
                ? group.members().stream()
                        .map(member -> Integer.parseInt(member.toString()))
                        .toList()
                : List.of();
    }

    private static Map<String, TlaValue> fields(TlaValue value) {
        if (value instanceof TlaValue.Function function) {
            return function.values().entrySet().stream()
                    .collect(Collectors.toMap(entry -> text(entry.getKey()), Map.Entry::getValue));
        }
        return value instanceof TlaValue.Fields record ? record.fields() : Map.of();
    }
}
