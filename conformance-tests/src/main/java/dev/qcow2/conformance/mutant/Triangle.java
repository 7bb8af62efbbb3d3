package dev.qcow2.conformance.mutant;

import dev.qcow2.conformance.formal.ModelJudge;
import dev.qcow2.conformance.formal.ReplayGraph;
import dev.qcow2.conformance.report.TextTable;
import dev.qcow2.spec.tla.FaultCase;
import dev.qcow2.spec.tla.GraphBound;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.ModelScope;
import dev.qcow2.spec.tla.ModelTable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The triangle of model, code and tests: a row for each fault that is seeded into the model, with the wrong
 * implementations of the same meaning and who finds them. A row that nobody finds is a hole.
 */
public final class Triangle {

    private static final String FILE = "triangle.txt";

    /** The graphs of images that the small implementation with the switches can use. */
    private static final Set<String> GRAPHS = Set.of("one-cluster", "backing", "version2");

    /**
     * A fault of the model and its like in code.
     *
     * @param fault the seeded fault
     * @param code names of code faults; empty if there can be none
     * @param reason why there is none
     */
    public record Row(FaultCase fault, List<String> code, String reason) {

        /** Makes a row; the list is copied. */
        public Row {
            code = List.copyOf(code);
        }
    }

    private final List<Row> rows;
    private final Map<String, Map<FaultFinder, Optional<String>>> found = new LinkedHashMap<>();

    private Triangle(List<Row> rows) {
        this.rows = List.copyOf(rows);
    }

    /**
     * Reads which code faults stand for which seeded faults.
     *
     * @return a triangle in which nobody has looked yet
     * @throws ModelException if a line is no row, names an unknown fault, or a seeded fault has no line
     * @throws IOException if the file cannot be read
     */
    public static Triangle load() throws ModelException, IOException {
        Map<String, FaultCase> known = new LinkedHashMap<>();
        ModelTable.load().faults().forEach(fault -> known.put(fault.name(), fault));
        List<Row> rows = new ArrayList<>();
        int number = 0;
        for (String line : text().split("\n", -1)) {
            number++;
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] columns = line.split("\\|", -1);
                if (columns.length != 3) {
                    throw new ModelException(FILE, number, "found " + columns.length + " columns, must be 3");
                }
                FaultCase fault = known.remove(columns[0].strip());
                if (fault == null) {
                    throw new ModelException(FILE, number, "there is no seeded fault " + columns[0].strip());
                }
                rows.add(row(fault, columns, number));
            }
        }
        if (!known.isEmpty()) {
            throw new ModelException(FILE, 0, "has no row for " + String.join(", ", known.keySet()));
        }
        return new Triangle(rows);
    }

    /**
     * Returns a part of the rows, for who has no time for all.
     *
     * @param every one of so many
     * @return a triangle in which nobody has looked yet
     */
    public Triangle sample(int every) {
        return new Triangle(IntStream.range(0, rows.size())
                .filter(i -> i % every == 0)
                .mapToObj(rows::get)
                .toList());
    }

    private static Row row(FaultCase fault, String[] columns, int number) throws ModelException {
        String names = columns[1].strip();
        String reason = columns[2].strip();
        if (names.isEmpty() == reason.isEmpty()) {
            throw new ModelException(FILE, number, "a row has either faults of code or a reason why there are none");
        }
        return new Row(fault, names.isEmpty() ? List.of() : List.of(names.split("\\s+")), reason);
    }

    private static String text() throws IOException {
        try (InputStream in = Triangle.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new FileNotFoundException(FILE + " is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /**
     * Returns the rows.
     *
     * @return in the order of the file
     */
    public List<Row> rows() {
        return rows;
    }

    /**
     * Returns how many code faults there are to look for.
     *
     * @return each counted once
     */
    public int codeFaults() {
        return names().size();
    }

    private Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        rows.forEach(row -> names.addAll(row.code()));
        return names;
    }

    /**
     * Has every finder look for every code fault.
     *
     * @param runner runs TLC, which makes the graphs for the tests that are made of the model
     * @param scratch a folder for files that are removed again
     * @param workers threads
     * @param progress hears of each code fault that was looked for
     * @throws ModelException if TLC gives no answer
     * @throws IOException if files can't be made
     * @throws InterruptedException if the thread is interrupted
     */
    public void search(ModelRun runner, Path scratch, int workers, Consumer<String> progress)
            throws ModelException, IOException, InterruptedException {
        ModelJudge model = judge(runner, scratch);
        ExecutorService pool = Executors.newFixedThreadPool(workers);
        try {
            Map<String, Future<Map<FaultFinder, Optional<String>>>> running = new LinkedHashMap<>();
            for (String name : names()) {
                running.put(name, pool.submit(() -> {
                    Map<FaultFinder, Optional<String>> answers = look(CodeFault.of(name), model);
                    progress.accept(name);
                    return answers;
                }));
            }
            for (Map.Entry<String, Future<Map<FaultFinder, Optional<String>>>> one : running.entrySet()) {
                found.put(one.getKey(), one.getValue().get());
            }
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } finally {
            pool.shutdownNow();
        }
    }

    private static ModelJudge judge(ModelRun runner, Path scratch) throws ModelException, IOException {
        List<ReplayGraph> graphs = new ArrayList<>();
        for (GraphBound bound : ModelTable.load().graphs(ModelScope.SMALL)) {
            if (GRAPHS.contains(bound.name())) {
                graphs.add(ReplayGraph.load(bound, runner, scratch));
            }
        }
        return new ModelJudge(graphs);
    }

    private static Map<FaultFinder, Optional<String>> look(CodeFault fault, ModelJudge model)
            throws IOException, InterruptedException {
        Map<FaultFinder, Optional<String>> answers = new LinkedHashMap<>();
        for (FaultFinder finder : FaultFinder.values()) {
            answers.put(finder, finder.find(fault, FaultFinder.FEW, model));
        }
        for (FaultFinder finder : FaultFinder.values()) {
            if (answers.values().stream().noneMatch(Optional::isPresent)) {
                answers.put(finder, finder.find(fault, FaultFinder.MANY, model));
            }
        }
        return answers;
    }

    /**
     * Returns the rows with a code fault that nobody found.
     *
     * @return the names of the seeded faults, with the code fault
     */
    public List<String> holes() {
        List<String> holes = new ArrayList<>();
        for (Row row : rows) {
            for (String code : row.code()) {
                Map<FaultFinder, Optional<String>> answers = found.getOrDefault(code, Map.of());
                if (answers.values().stream().noneMatch(Optional::isPresent)) {
                    holes.add(row.fault().name() + ": nobody found " + code);
                }
            }
        }
        return holes;
    }

    /**
     * Returns why some seeded faults have no like in code.
     *
     * @return a line for each of them
     */
    public List<String> reasons() {
        return rows.stream()
                .filter(row -> row.code().isEmpty())
                .map(row -> row.fault().name() + ": " + row.reason())
                .toList();
    }

    /**
     * Returns the table.
     *
     * @return a row for each seeded fault and code fault
     */
    public TextTable table() {
        List<String> head = new ArrayList<>(List.of("seeded fault", "model property", "code fault"));
        for (FaultFinder finder : FaultFinder.values()) {
            head.add(finder.words());
        }
        TextTable table = new TextTable(head.toArray(new String[0]));
        for (Row row : rows) {
            if (row.code().isEmpty()) {
                table.row(cells(row, "none can be, see below", null));
            }
            for (String code : row.code()) {
                table.row(cells(row, code, found.get(code)));
            }
        }
        return table;
    }

    private static String[] cells(Row row, String code, @Nullable Map<FaultFinder, Optional<String>> answers) {
        List<String> cells =
                new ArrayList<>(List.of(row.fault().name(), row.fault().property(), code));
        for (FaultFinder finder : FaultFinder.values()) {
            Optional<String> answer = answers == null ? Optional.empty() : answers.get(finder);
            cells.add(answer == null ? "" : answer.orElse(""));
        }
        return cells.toArray(new String[0]);
    }
}
