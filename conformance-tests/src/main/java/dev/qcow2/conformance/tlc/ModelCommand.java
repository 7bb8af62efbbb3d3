package dev.qcow2.conformance.tlc;

import dev.qcow2.conformance.mutant.Triangle;
import dev.qcow2.conformance.tlc.ModelChecks.Task;
import dev.qcow2.conformance.tlc.draw.Storyboard;
import dev.qcow2.spec.tla.Counterexample;
import dev.qcow2.spec.tla.CounterexampleFile;
import dev.qcow2.spec.tla.FaultCase;
import dev.qcow2.spec.tla.ModelCase;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelOutcome;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.ModelScope;
import dev.qcow2.spec.tla.ModelTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code qcow2 model}: checks the formal model, and the model itself with seeded faults. */
@Command(
        name = "model",
        mixinStandardHelpOptions = true,
        description = "Checks the formal model with TLC, and that it refutes every seeded fault.",
        footer = {
            "",
            "Examples:",
            "  qcow2 model                                    all small bounds and all faults",
            "  qcow2 model tables cut-skip                    two of them, with their faults",
            "  qcow2 model --large --no-faults                the large bounds; an hour or so",
            "  qcow2 model --explain cut-skip/raise-after-link",
            "                                                 the counterexample, drawn step by step",
            "  qcow2 model --triangle                         who finds the like of each fault in code",
            "",
            "Exit code: 0 all as expected; 1 a property is broken, a fault not refuted, or a number of states not",
            "the expected one; 2 usage or environment, such as a model that does not parse or a lack of time."
        })
public final class ModelCommand implements Callable<Integer> {

    private static final int AS_EXPECTED = 0;
    private static final int OTHERWISE = 1;
    private static final int TROUBLE = 2;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "MODEL", arity = "0..*", description = "Only these models; all if none is given.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--large", description = "The large bounds instead of the small ones.")
    private boolean large;

    @Option(
            names = "--faults",
            negatable = true,
            description = "Whether to run the seeded faults; as a rule with the small bounds only.")
    private @Nullable Boolean faults;

    @Option(names = "--workers", description = "TLC processes at a time; as many as processors if not given.")
    private int workers = Runtime.getRuntime().availableProcessors();

    @Option(names = "--heap", paramLabel = "SIZE", description = "Memory of each run; 1g, or 3g for large bounds.")
    private @Nullable String heap;

    @Option(names = "--time-limit", paramLabel = "SECONDS", description = "Of each run; 300, or 7200 for large bounds.")
    private @Nullable Double seconds;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the tables as JSON.")
    private @Nullable Path json;

    @Option(
            names = "--explain",
            paramLabel = "MODEL/FAULT",
            description = "Runs one fault and draws the image after each step of the counterexample.")
    private @Nullable String explained;

    @Option(
            names = "--explain-file",
            paramLabel = "FILE",
            description = "Draws the counterexample of an output of TLC that somebody saved.")
    private @Nullable Path explainedFile;

    @Option(
            names = "--triangle",
            description =
                    "Prints for each seeded fault the wrong implementations of the same meaning, and who finds them.")
    private boolean triangle;

    private final boolean terminal;

    /**
     * Makes the command.
     *
     * @param terminal whether progress goes to a terminal, which gets a moving bar
     */
    public ModelCommand(boolean terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path scratch = Files.createTempDirectory("qcow2-model-");
        try {
            ModelTable table = ModelTable.load();
            if (explainedFile != null) {
                return draw(CounterexampleFile.read(explainedFile), table);
            }
            if (triangle) {
                return triangle(scratch);
            }
            return explained == null ? check(table, scratch) : explain(explained, table, scratch);
        } catch (ModelException e) {
            out().println("no answer: " + e.getMessage());
            return TROUBLE;
        } finally {
            // Each run has removed its own folder.
            Files.deleteIfExists(scratch);
        }
    }

    private int check(ModelTable table, Path scratch) throws IOException, InterruptedException {
        List<Task> tasks = tasks(table);
        requireWorkers();
        List<ModelVerdict> verdicts;
        try (ModelProgress progress = ModelProgress.show(tasks, terminal)) {
            verdicts = new ModelChecks(scratch, limit(), heap(), workers, progress).run(tasks);
        }
        List<ModelVerdict> models =
                verdicts.stream().filter(verdict -> verdict.fault() == null).toList();
        List<ModelVerdict> seeded =
                verdicts.stream().filter(verdict -> verdict.fault() != null).toList();
        ModelReport report = new ModelReport(out());
        report.models(models);
        if (!seeded.isEmpty()) {
            out().println();
            report.faults(seeded);
        }
        if (json != null) {
            ModelJson.write(models, seeded, json);
        }
        return conclude(models, seeded);
    }

    private int triangle(Path scratch) throws ModelException, IOException, InterruptedException {
        requireWorkers();
        Triangle found = Triangle.load();
        try (ProgressBar bar = new ProgressBarBuilder()
                .setTaskName("triangle")
                .setUnit(" faults", 1)
                .setInitialMax(found.codeFaults())
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(terminal ? 200 : 10_000)
                .setMaxRenderedLength(100)
                .build()) {
            found.search(new ModelRun(scratch, limit(), heap()), scratch, workers, name -> bar.step());
        }
        out().print(found.table().toText());
        found.reasons().forEach(out()::println);
        found.holes().forEach(hole -> out().println("HOLE: " + hole));
        out().println(found.rows().size() + " seeded faults, " + found.codeFaults() + " faults of code, holes: "
                + (found.holes().isEmpty()
                        ? "none"
                        : Integer.toString(found.holes().size())));
        out().flush();
        return found.holes().isEmpty() ? AS_EXPECTED : OTHERWISE;
    }

    private void requireWorkers() {
        if (workers < 1) {
            throw wrongUsage("--workers must be at least 1: " + workers);
        }
    }

    private int conclude(List<ModelVerdict> models, List<ModelVerdict> seeded) {
        List<ModelVerdict> all = new ArrayList<>(models);
        all.addAll(seeded);
        out().println();
        long refuted = seeded.stream()
                .filter(verdict -> verdict.outcome() != null && verdict.wrong().isEmpty())
                .count();
        long hold = models.stream()
                .filter(verdict -> verdict.outcome() != null && verdict.wrong().isEmpty())
                .count();
        out().println(hold + " of " + models.size() + " models hold with the expected number of states"
                + (seeded.isEmpty() ? "" : "; " + refuted + " of " + seeded.size() + " faults are refuted"));
        boolean trouble = false;
        boolean wrong = false;
        for (ModelVerdict verdict : all) {
            ModelException reason = verdict.trouble();
            if (reason != null) {
                out().println("no answer: " + verdict.name() + ": " + reason.getMessage());
                trouble = true;
            }
            if (verdict.wrong().isPresent()) {
                out().println("WRONG: " + verdict.name() + " " + verdict.wrong().get());
                wrong = true;
            }
        }
        return wrong ? OTHERWISE : trouble ? TROUBLE : AS_EXPECTED;
    }

    private List<Task> tasks(ModelTable table) {
        ModelScope scope = large ? ModelScope.LARGE : ModelScope.SMALL;
        List<String> known = table.models(scope).stream().map(ModelCase::name).toList();
        for (String name : names) {
            if (!known.contains(name)) {
                throw wrongUsage("there is no " + scope.folder() + " model \"" + name + "\"; known are "
                        + String.join(", ", known));
            }
        }
        List<Task> tasks = new ArrayList<>();
        for (ModelCase model : table.models(scope)) {
            if (names.isEmpty() || names.contains(model.name())) {
                tasks.add(new Task(model, null));
            }
        }
        if (faults == null ? !large : faults) {
            for (FaultCase fault : table.faults()) {
                if (names.isEmpty() || names.contains(fault.model())) {
                    tasks.add(new Task(table.model(fault.model(), ModelScope.SMALL), fault));
                }
            }
        }
        return tasks;
    }

    private int explain(String name, ModelTable table, Path scratch) throws ModelException, IOException {
        FaultCase fault = table.faults().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow(() -> wrongUsage("there is no fault \"" + name + "\"; known are "
                        + table.faults().stream().map(FaultCase::name).collect(Collectors.joining(", "))));
        ModelCase model = table.model(fault.model(), ModelScope.SMALL);
        ModelOutcome outcome = new ModelRun(scratch, limit(), heap()).trace(model, fault.fault());
        Counterexample found = outcome.counterexample();
        out().println(fault.name() + ": " + fault.meaning());
        if (!fault.resembles().equals("-")) {
            out().println("resembles: " + fault.resembles());
        }
        if (found == null) {
            out().println("The model refutes nothing: " + String.join(", ", model.clauses()) + " hold.");
            return OTHERWISE;
        }
        return draw(found, table);
    }

    private int draw(Counterexample found, ModelTable table) {
        try {
            out().print(Storyboard.of(found).draw(table));
            out().flush();
            return AS_EXPECTED;
        } catch (IllegalArgumentException e) {
            throw wrongUsage("this counterexample cannot be drawn: " + e.getMessage());
        }
    }

    private Duration limit() {
        double limit = seconds == null ? large ? 7200 : 300 : seconds;
        if (!(limit > 0)) {
            throw wrongUsage("--time-limit must be more than 0: " + limit);
        }
        return Duration.ofMillis((long) Math.ceil(limit * 1000));
    }

    private String heap() {
        String chosen = heap == null ? large ? "3g" : "1g" : heap;
        if (!chosen.matches("[1-9][0-9]*[kKmMgG]")) {
            throw wrongUsage("--heap must be a number with k, m or g: " + chosen);
        }
        return chosen;
    }

    private ParameterException wrongUsage(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
