package dev.qcow2.conformance.command;

import dev.qcow2.conformance.formal.BitmapBound;
import dev.qcow2.conformance.formal.BitmapReplay;
import dev.qcow2.conformance.formal.ModelReplay;
import dev.qcow2.conformance.formal.ModelVectors;
import dev.qcow2.conformance.formal.ReplayFailure;
import dev.qcow2.conformance.formal.ReplayGraph;
import dev.qcow2.conformance.formal.ReplayProgress;
import dev.qcow2.conformance.formal.ReplayResult;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.tla.GraphBound;
import dev.qcow2.spec.tla.ModelException;
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
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
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

/** Walks the graph of the formal model's states on implementations. */
@Command(
        name = "replay-model",
        description = {
            "Has TLC find the states of the formal model, and replays every transition on implementations.",
            "A failure shows the requests, the state that the model expects, and the one that was found."
        },
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  qcow2 replay-model                     the small graphs on reference and optimized",
            "  qcow2 replay-model large --graph two-values --subject optimized",
            "  qcow2 replay-model --vectors DIRECTORY"
        })
final class ReplayModelCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "small|large",
            description = "which graphs: seconds or minutes each; small if not given")
    private String size = "small";

    @Option(names = "--graph", paramLabel = "NAME", description = "this graph only; may be repeated")
    private List<String> graphs = new ArrayList<>();

    @Option(
            names = "--subject",
            paramLabel = "NAME",
            description = "this implementation only; may be repeated; reference and optimized if not given")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--vectors",
            paramLabel = "DIRECTORY",
            description = "replays nothing, but writes scripts for \"conform --replay\" that take every transition")
    private @Nullable Path vectors;

    private final Drivers drivers;

    ReplayModelCommand(Drivers drivers) {
        this.drivers = drivers;
    }

    @Override
    public Integer call() throws IOException {
        Path scratch = Files.createTempDirectory("qcow2-replay-model");
        ModelRun runner = new ModelRun(scratch, Duration.ofMinutes(60), "2g");
        try {
            List<GraphBound> bounds = bounds();
            return vectors == null ? replay(bounds, runner, scratch) : write(bounds, runner, scratch, vectors);
        } catch (ModelException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            Files.deleteIfExists(scratch);
        }
    }

    private List<GraphBound> bounds() throws ModelException, IOException {
        if (!List.of("small", "large").contains(size)) {
            throw wrongUsage("expected small or large: " + size);
        }
        List<GraphBound> all = ModelTable.load().graphs(size.equals("small") ? ModelScope.SMALL : ModelScope.LARGE);
        List<String> known = all.stream().map(GraphBound::name).toList();
        for (String graph : graphs) {
            if (!known.contains(graph)) {
                throw wrongUsage(
                        "there is no " + size + " graph \"" + graph + "\"; known are " + String.join(", ", known));
            }
        }
        return all.stream()
                .filter(bound -> graphs.isEmpty() || graphs.contains(bound.name()))
                .toList();
    }

    private List<DiskDriver> subjects() {
        if (names.isEmpty()) {
            return drivers.main();
        }
        List<DiskDriver> chosen = new ArrayList<>();
        for (String name : names) {
            chosen.add(drivers.named(name)
                    .orElseThrow(() ->
                            wrongUsage("there is no implementation \"" + name + "\"; known are " + drivers.names())));
        }
        return chosen;
    }

    private int replay(List<GraphBound> bounds, ModelRun runner, Path scratch) throws ModelException, IOException {
        Shower shower = new Shower(out());
        List<ReplayResult> results = new ModelReplay(runner, scratch, shower).run(bounds, subjects());
        for (ReplayResult result : results) {
            result.failure().map(ReplayFailure::toText).ifPresent(out()::println);
        }
        List<BitmapReplay.Result> bitmaps =
                size.equals("small") && graphs.isEmpty() ? bitmaps(runner, scratch) : List.of();
        boolean follow = results.stream().allMatch(result -> result.failure().isEmpty())
                && bitmaps.stream().allMatch(result -> result.failure().isEmpty());
        long transitions = results.stream().mapToLong(ReplayResult::replayed).sum()
                + bitmaps.stream().mapToLong(BitmapReplay.Result::replayed).sum();
        out().printf("%,d transitions replayed; %s%n", transitions, follow ? "no failure" : "FAILED");
        return follow ? ExitCode.SAME : ExitCode.DIFFERENT;
    }

    /** The graphs of module Bitmaps, each for the implementations of its style. */
    private List<BitmapReplay.Result> bitmaps(ModelRun runner, Path scratch) throws ModelException, IOException {
        List<BitmapReplay.Result> results = new ArrayList<>();
        for (BitmapBound bound : BitmapBound.ALL) {
            for (DiskDriver driver : subjects().stream().filter(bound::isOf).toList()) {
                BitmapReplay.Result result = BitmapReplay.run(bound.graph(runner, scratch), driver);
                out().printf("%s: %s, %,d requests replayed%n", bound, driver.name(), result.replayed());
                result.failure().ifPresent(out()::println);
                results.add(result);
            }
        }
        return results;
    }

    private int write(List<GraphBound> bounds, ModelRun runner, Path scratch, Path directory)
            throws ModelException, IOException {
        Files.createDirectories(directory);
        int count = 0;
        // A graph that ends after some levels would give scripts that end in the middle.
        for (GraphBound bound :
                bounds.stream().filter(whole -> whole.levels() == 0).toList()) {
            for (Map.Entry<String, String> file :
                    ModelVectors.of(ReplayGraph.load(bound, runner, scratch)).entrySet()) {
                Files.writeString(directory.resolve(file.getKey()), file.getValue());
                count++;
            }
        }
        out().println(count + " scripts written to " + directory);
        return ExitCode.SAME;
    }

    /** Prints a line for each result, and a progress bar on the standard error. */
    private static final class Shower implements ModelReplay.Listener {
        private final PrintWriter out;
        private @Nullable ProgressBar bar;

        Shower(PrintWriter out) {
            this.out = out;
        }

        @Override
        public void exploring(GraphBound bound) {
            out.printf(
                    "%s: TLC explores %s, %,d states%n",
                    bound.name(), bound.model().name(), bound.states());
            out.flush();
        }

        @Override
        public ReplayProgress replaying(ReplayGraph graph, String subject, int transitions) {
            boolean terminal = Boolean.getBoolean(Launcher.TERMINAL);
            ProgressBar started = new ProgressBarBuilder()
                    .setTaskName(subject)
                    .setUnit(" transitions", 1)
                    .setInitialMax(transitions)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(terminal ? 200 : 10_000)
                    .setMaxRenderedLength(100)
                    .build();
            bar = started;
            return started::stepTo;
        }

        @Override
        public void done(ReplayResult result) {
            if (bar != null) {
                bar.close();
            }
            out.println(result.toLine());
            out.flush();
        }
    }

    private ParameterException wrongUsage(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
