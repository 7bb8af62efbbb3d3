package dev.qcow2.spec.tla;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes the graph of all states of the mapping model in some bound.
 *
 * <p>Each request leads to one state: host clusters are taken in a fixed order. So the same image
 * comes up under different names of its host clusters; who compares an image with a state compares
 * up to these names.
 */
public final class GraphDump {

    private static final Pattern EDGE = Pattern.compile("^(-?\\d+) -> (-?\\d+) \\[label=\"([^\"]*)\".*");
    private static final Pattern NODE = Pattern.compile("^(-?\\d+) \\[label=\"(.*)\"(?:,style = filled)?\\];?$");

    private final Map<String, Integer> numbers = new HashMap<>();
    private final Map<TlaValue, TlaValue> known = new HashMap<>();
    private final List<List<TlaValue>> states = new ArrayList<>();
    // TLC prints a transition once for each way in which the action can be true.
    private final Set<StateGraph.Edge> edges = new LinkedHashSet<>();
    private final List<String> variables = new ArrayList<>();

    private GraphDump() {}

    /**
     * Runs TLC and reads the graph.
     *
     * @param runner runs TLC
     * @param model a model of module Mapping
     * @param constants new values of constants, as the configuration writes them
     * @param scratch a folder for the dump, which is removed again
     * @return the graph
     * @throws ModelException if TLC gives no answer
     * @throws IOException if files cannot be written or read
     */
    public static StateGraph of(ModelRun runner, ModelCase model, Map<String, String> constants, Path scratch)
            throws ModelException, IOException {
        return of(runner, new GraphBound(model.name(), model, model.scope(), constants, 0, 0, 0), false, scratch);
    }

    /**
     * Runs TLC and reads the graph of a bound, in which states that differ in the names of host clusters only
     * are one. So the state at the end of a transition may have other names for its host clusters than the
     * transition gave them.
     *
     * @param runner runs TLC
     * @param bound a bound of module Mapping
     * @param scratch a folder for the dump, which is removed again
     * @return the graph
     * @throws ModelException if TLC gives no answer
     * @throws IOException if files cannot be written or read
     */
    public static StateGraph of(ModelRun runner, GraphBound bound, Path scratch) throws ModelException, IOException {
        return of(runner, bound, true, scratch);
    }

    private static StateGraph of(ModelRun runner, GraphBound bound, boolean symmetric, Path scratch)
            throws ModelException, IOException {
        if (!bound.model().module().equals("Mapping")) {
            throw new IllegalArgumentException(
                    "graphs are made of module Mapping, not of " + bound.model().module());
        }
        String configuration = bound.configuration();
        return read(
                runner,
                EdgeModule.NAME,
                bound.model().configuration(),
                EdgeModule.configuration(configuration, symmetric),
                Map.of(EdgeModule.NAME + ".tla", EdgeModule.of(configuration, bound.levels())),
                scratch);
    }

    /** Runs TLC on texts, and reads the graph that it dumps. */
    static StateGraph read(
            ModelRun runner,
            String module,
            String configurationName,
            String configuration,
            Map<String, String> modules,
            Path scratch)
            throws ModelException, IOException {
        Files.createDirectories(scratch);
        Path folder = Files.createTempDirectory(scratch, "graph");
        try {
            ModelOutcome outcome =
                    runner.run(module, configurationName, configuration, modules, folder.resolve("graph"));
            StateGraph graph = new GraphDump().read(folder.resolve("graph.dot"));
            if (graph.states().size() != outcome.distinctStates()) {
                throw new ModelException(
                        configurationName,
                        0,
                        "the dump has " + graph.states().size() + " states, TLC found " + outcome.distinctStates());
            }
            return graph;
        } finally {
            ModelFiles.remove(folder);
        }
    }

    private StateGraph read(Path dump) throws IOException {
        try (BufferedReader in = Files.newBufferedReader(dump)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                readLine(line);
            }
        }
        return new StateGraph(variables, states, List.copyOf(edges));
    }

    private void readLine(String line) {
        Matcher edge = EDGE.matcher(line);
        if (edge.matches()) {
            String[] label = edge.group(3).split("_", -1);
            edges.add(new StateGraph.Edge(
                    number(edge.group(1)),
                    number(edge.group(2)),
                    label[0],
                    List.copyOf(Arrays.asList(label).subList(1, label.length))));
            return;
        }
        Matcher node = NODE.matcher(line);
        if (node.matches()) {
            readState(number(node.group(1)), unescaped(node.group(2)));
        }
    }

    private void readState(int number, String text) {
        if (!states.get(number).isEmpty()) {
            return;
        }
        Map<String, TlaValue> state = TlaParser.state(text);
        if (variables.isEmpty()) {
            variables.addAll(state.keySet());
        }
        states.set(
                number,
                state.values().stream()
                        .map(value -> known.computeIfAbsent(value, same -> same))
                        .toList());
    }

    /** Numbers a state when it is first named; its values may come later. */
    private int number(String fingerprint) {
        Integer number = numbers.get(fingerprint);
        if (number != null) {
            return number;
        }
        numbers.put(fingerprint, states.size());
        states.add(List.of());
        return states.size() - 1;
    }

    private static String unescaped(String label) {
        return label.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\");
    }
}
