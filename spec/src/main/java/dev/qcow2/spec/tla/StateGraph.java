package dev.qcow2.spec.tla;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All states of a model in some bound, and all transitions between them.
 *
 * <p>As a text: a first line "qcow2-state-graph 1", a line "variables" with their names, a line
 * "state" for each state with its number and its values in the order of the variables, separated by
 * tabulators, and a line "edge" for each transition with the numbers of its two states, the action
 * and its parameters. State 0 is the initial one.
 *
 * @param variables the names of the model's variables, in order
 * @param states values in the order of the variables; the place in the list is the state's number
 * @param edges in the order in which TLC took them
 */
public record StateGraph(List<String> variables, List<List<TlaValue>> states, List<Edge> edges) {

    private static final String HEAD = "qcow2-state-graph 1";
    private static final String TAB = "\t";

    /**
     * A transition.
     *
     * @param from number of the state before
     * @param to number of the state after
     * @param action name of the action
     * @param parameters what it was called with
     */
    public record Edge(int from, int to, String action, List<String> parameters) {}

    /** Makes a graph; the lists are copied. */
    public StateGraph {
        variables = List.copyOf(variables);
        states = List.copyOf(states);
        edges = List.copyOf(edges);
    }

    /**
     * Returns the value of one variable.
     *
     * @param state number of a state
     * @param variable name of a variable
     * @return its value there
     */
    public TlaValue value(int state, String variable) {
        return states.get(state).get(variables.indexOf(variable));
    }

    /**
     * Returns a state.
     *
     * @param number its number
     * @return values by variable
     */
    public Map<String, TlaValue> state(int number) {
        Map<String, TlaValue> state = new TreeMap<>();
        for (int i = 0; i < variables.size(); i++) {
            state.put(variables.get(i), states.get(number).get(i));
        }
        return state;
    }

    /**
     * Writes the graph as text.
     *
     * @param file is replaced
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            line(out, HEAD);
            line(out, "variables" + TAB + String.join(TAB, variables));
            for (int i = 0; i < states.size(); i++) {
                StringBuilder text = new StringBuilder("state" + TAB + i);
                states.get(i).forEach(value -> text.append(TAB).append(value));
                line(out, text.toString());
            }
            for (Edge edge : edges) {
                List<String> columns = new ArrayList<>(
                        List.of("edge", Integer.toString(edge.from()), Integer.toString(edge.to()), edge.action()));
                columns.addAll(edge.parameters());
                line(out, String.join(TAB, columns));
            }
        }
    }

    private static void line(BufferedWriter out, String text) throws IOException {
        out.write(text);
        out.write('\n');
    }

    /**
     * Reads a graph that {@link #write} wrote.
     *
     * @param file the text
     * @return the graph
     * @throws ModelException if a line is none of the known ones
     * @throws IOException if it cannot be read
     */
    public static StateGraph read(Path file) throws ModelException, IOException {
        List<String> variables = List.of();
        List<List<TlaValue>> states = new ArrayList<>();
        List<Edge> edges = new ArrayList<>();
        Map<String, TlaValue> known = new HashMap<>();
        try (BufferedReader in = Files.newBufferedReader(file)) {
            int number = 0;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                number++;
                List<String> columns = Arrays.asList(line.split(TAB, -1));
                if (number == 1 && !line.equals(HEAD)) {
                    throw new ModelException(file.toString(), 1, "is no graph of states");
                }
                switch (columns.get(0)) {
                    case HEAD -> {}
                    case "variables" -> variables = columns.subList(1, columns.size());
                    case "state" ->
                        states.add(columns.subList(2, columns.size()).stream()
                                .map(value -> known.computeIfAbsent(value, TlaParser::value))
                                .toList());
                    case "edge" -> edges.add(edge(columns));
                    default -> throw new ModelException(file.toString(), number, "unknown line " + columns.get(0));
                }
            }
        }
        return new StateGraph(variables, states, edges);
    }

    private static Edge edge(List<String> columns) {
        return new Edge(
                Integer.parseInt(columns.get(1)),
                Integer.parseInt(columns.get(2)),
                columns.get(3).intern(),
                List.copyOf(columns.subList(4, columns.size())));
    }
}
