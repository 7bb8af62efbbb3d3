package dev.qcow2.spec.tla;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The models and the seeded faults, as the files {@code models.txt} and {@code faults.txt} beside the
 * modules list them, what {@code properties.txt} says of the properties, and the graphs for tests of {@code graphs.txt}.
 *
 * <p>Each line is a row, its columns separated by a vertical bar; an empty line and a line that
 * begins with # say nothing.
 */
public final class ModelTable {

    private static final String MODELS = "models.txt";
    private static final String FAULTS = "faults.txt";
    private static final String PROPERTIES = "properties.txt";
    private static final String GRAPHS = "graphs.txt";
    private static final int COLUMNS = 6;
    private static final int GRAPH_COLUMNS = 8;

    private final List<ModelCase> models;
    private final List<FaultCase> faults;
    private final Map<String, String> meanings;
    private final List<GraphBound> graphs;

    private ModelTable(
            List<ModelCase> models, List<FaultCase> faults, Map<String, String> meanings, List<GraphBound> graphs) {
        this.models = List.copyOf(models);
        this.faults = List.copyOf(faults);
        this.meanings = Map.copyOf(meanings);
        this.graphs = List.copyOf(graphs);
    }

    /**
     * Reads the files.
     *
     * @return the table
     * @throws ModelException if a line is no row, or a fault names no small model
     * @throws IOException if a file cannot be read
     */
    public static ModelTable load() throws ModelException, IOException {
        List<ModelCase> models = new ArrayList<>();
        for (Row row : rows(MODELS, COLUMNS)) {
            models.add(new ModelCase(
                    row.column(0),
                    row.column(1),
                    row.scope(2),
                    row.number(3),
                    List.of(row.column(4).split(" ")),
                    row.column(5)));
        }
        List<FaultCase> faults = new ArrayList<>();
        for (Row row : rows(FAULTS, COLUMNS)) {
            row.oneOf(1, models.stream().map(ModelCase::name).toArray(String[]::new));
            faults.add(new FaultCase(
                    row.column(0),
                    row.column(1),
                    row.column(2),
                    Math.toIntExact(row.number(3)),
                    row.column(4),
                    row.column(5)));
        }
        Map<String, String> meanings = new HashMap<>();
        for (Row row : rows(PROPERTIES, 3)) {
            meanings.put(row.column(0) + "." + row.column(1), row.column(2));
        }
        ModelTable withoutGraphs = new ModelTable(models, faults, meanings, List.of());
        return new ModelTable(models, faults, meanings, graphs(withoutGraphs));
    }

    private static List<GraphBound> graphs(ModelTable table) throws ModelException, IOException {
        List<GraphBound> graphs = new ArrayList<>();
        for (Row row : rows(GRAPHS, GRAPH_COLUMNS)) {
            ModelScope scope = row.scope(2);
            row.oneOf(1, table.models(scope).stream().map(ModelCase::name).toArray(String[]::new));
            graphs.add(new GraphBound(
                    row.column(0),
                    table.model(row.column(1), scope),
                    row.scope(3),
                    row.assignments(4),
                    Math.toIntExact(row.number(5)),
                    Math.toIntExact(row.number(6)),
                    Math.toIntExact(row.number(7))));
        }
        return graphs;
    }

    /**
     * Returns the graphs that become tests of the implementations.
     *
     * @param size which
     * @return in the order of the file
     */
    public List<GraphBound> graphs(ModelScope size) {
        return graphs.stream().filter(graph -> graph.size() == size).toList();
    }

    /**
     * Returns the models of one scope.
     *
     * @param scope which
     * @return in the order of the file
     */
    public List<ModelCase> models(ModelScope scope) {
        return models.stream().filter(model -> model.scope() == scope).toList();
    }

    /**
     * Returns the seeded faults.
     *
     * @return in the order of the file
     */
    public List<FaultCase> faults() {
        return faults;
    }

    /**
     * Returns what a property says.
     *
     * @param module a TLA+ module
     * @param property a property of it
     * @return a sentence, or the property's name if nobody wrote one down
     */
    public String meaning(String module, String property) {
        return meanings.getOrDefault(module + "." + property, property);
    }

    /**
     * Returns one model.
     *
     * @param name its name
     * @param scope its scope
     * @return the row
     * @throws IllegalArgumentException if there is none
     */
    public ModelCase model(String name, ModelScope scope) {
        return models(scope).stream()
                .filter(model -> model.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no " + scope.folder() + " model " + name));
    }

    private static List<Row> rows(String file, int width) throws ModelException, IOException {
        List<Row> rows = new ArrayList<>();
        int number = 0;
        for (String line : ModelFiles.text(file).split("\n", -1)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] columns = line.split("\\|", -1);
            if (columns.length != width) {
                throw new ModelException(file, number, "found " + columns.length + " columns, must be " + width);
            }
            rows.add(new Row(file, number, List.of(columns)));
        }
        return rows;
    }

    private record Row(String file, int line, List<String> columns) {

        String column(int index) {
            return columns.get(index).strip();
        }

        long number(int index) throws ModelException {
            try {
                return Long.parseLong(column(index).replace(",", ""));
            } catch (NumberFormatException e) {
                throw new ModelException(file, line, "found " + column(index) + ", must be a number");
            }
        }

        ModelScope scope(int index) throws ModelException {
            boolean small = oneOf(index, ModelScope.SMALL.folder(), ModelScope.LARGE.folder()) == 0;
            return small ? ModelScope.SMALL : ModelScope.LARGE;
        }

        Map<String, String> assignments(int index) throws ModelException {
            Map<String, String> assignments = new TreeMap<>();
            for (String text : column(index).split(";", -1)) {
                String[] sides = text.split("=", -1);
                if (sides.length == 2) {
                    assignments.put(sides[0].strip(), sides[1].strip());
                } else if (!text.isBlank()) {
                    throw new ModelException(file, line, "found " + text + ", must be a constant and its value");
                }
            }
            return assignments;
        }

        int oneOf(int index, String... allowed) throws ModelException {
            int found = List.of(allowed).indexOf(column(index));
            if (found < 0) {
                throw new ModelException(
                        file, line, "found " + column(index) + ", must be one of " + String.join(", ", allowed));
            }
            return found;
        }
    }
}
