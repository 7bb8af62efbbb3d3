package dev.qcow2.conformance.command;

import dev.qcow2.conformance.campaign.Campaign;
import dev.qcow2.conformance.campaign.CampaignOptions;
import dev.qcow2.conformance.campaign.CampaignResult;
import dev.qcow2.conformance.campaign.Difference;
import dev.qcow2.conformance.concurrent.ConcurrentDifference;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptException;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.conformance.trace.TraceFolder;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The main job: the differential campaign. */
@Command(
        name = "conform",
        description = "Runs random sequences on all implementations, the model and QEMU, and compares them.",
        mixinStandardHelpOptions = true,
        footer = {
            "Exit code: 0 all the same, 1 a difference, 2 wrong usage or environment.",
            "Examples:",
            "  qcow2 conform                                the whole campaign",
            "  qcow2 conform --image disk.qcow2 --time 60   each sequence starts from a copy of an image",
            "  qcow2 conform --replay difference.txt        one script"
        })
final class ConformCommand implements Callable<Integer> {

    private static final String MINIMAL_NAME = "qcow2-difference-";
    private static final int REPETITIONS = 200;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--seed", description = "from which everything is drawn; random if not given")
    private @Nullable Long seed;

    @Option(
            names = "--sequences",
            description = "how many sequences at most; 2000 if not given, 200 with --image or --concurrent-seed")
    private @Nullable Long sequences;

    @Option(names = "--time", paramLabel = "SECONDS", description = "after which no further sequence is begun")
    private @Nullable Long seconds;

    @Option(names = "--workers", description = "threads; as many as processors, at most 8, if not given")
    private @Nullable Integer workers;

    @Option(names = "--replay", paramLabel = "FILE", description = "runs one script")
    private @Nullable Path replay;

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description = "starts from an existing image, which is never written")
    private @Nullable Path image;

    @Option(
            names = "--impl",
            paramLabel = "NAME",
            split = ",",
            description = "which implementations take part; all if not given")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--concurrent-seed",
            paramLabel = "N",
            description =
                    "runs one concurrent scenario up to --sequences times, until something is wrong; the seed decides"
                            + " the requests, not which of them comes first")
    private @Nullable Long concurrentSeed;

    @Option(names = "--no-qemu", description = "leaves QEMU out")
    private boolean withoutQemu;

    @Option(
            names = "--trace",
            paramLabel = "DIRECTORY",
            description = "writes a trace of what each implementation did to each image, for check-trace")
    private @Nullable Path traces;

    @Option(names = "--json", paramLabel = "FILE", description = "writes the result as JSON")
    private @Nullable Path json;

    @Option(
            names = "--output",
            paramLabel = "DIRECTORY",
            description = "where the script of a difference goes; the present directory if not given")
    private Path output = Path.of("");

    private final Drivers drivers;

    ConformCommand(Drivers drivers) {
        this.drivers = drivers;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (concurrentSeed != null) {
            return repeat(concurrentSeed);
        }
        return replay == null ? campaign() : replay(replay);
    }

    private int campaign() throws IOException, InterruptedException {
        CampaignOptions options = options();
        PrintWriter out = out();
        out.println("seed " + options.seed());
        if (image != null && !Files.isRegularFile(image)) {
            throw new NoSuchFileException(image.toString(), null, "no such image");
        }
        CampaignResult result;
        try (Progress progress = Progress.show(options)) {
            result = Campaign.run(options, mainDrivers(), progress);
        }
        new ConformReport(out).print(result);
        if (json != null) {
            ResultJson.write(result, json);
        }
        if (result.difference().isEmpty()) {
            return result.concurrent().difference().isEmpty() ? ExitCode.SAME : ExitCode.DIFFERENT;
        }
        Path script = output.resolve(MINIMAL_NAME + result.seed() + ".txt").toAbsolutePath();
        ConformReport.writeScript(result.difference().get(), script);
        out.println("replay it with: " + Launcher.path() + " conform --replay " + script);
        return ExitCode.DIFFERENT;
    }

    private CampaignOptions options() {
        long chosenSeed = seed == null ? ThreadLocalRandom.current().nextLong(1_000_000_000L) : seed;
        CampaignOptions options = CampaignOptions.ofSeed(chosenSeed)
                .withRotating(rotating())
                // Concurrent scenarios bring their own images.
                .withConcurrentEvery(image == null ? CampaignOptions.DEFAULT_CONCURRENT_EVERY : 0)
                .withWorkers(workers == null ? processors() : atLeast("--workers", workers, 1));
        if (sequences != null) {
            options = options.withSequences(atLeast("--sequences", sequences, 1));
        } else if (seconds != null) {
            options = options.withSequences(Long.MAX_VALUE);
        } else if (image != null) {
            options = options.withSequences(200);
        }
        if (seconds != null) {
            options = options.withTime(Duration.ofSeconds(atLeast("--time", seconds, 1)));
        }
        if (image != null) {
            options = options.withImage(image).withPatience(Duration.ofMinutes(5), options.shrinking());
        }
        return traced(withoutQemu ? options.withQemuEvery(0) : options);
    }

    private CampaignOptions traced(CampaignOptions options) {
        return traces == null ? options : options.withTraces(new TraceFolder(traces));
    }

    private static int processors() {
        return Math.min(8, Runtime.getRuntime().availableProcessors());
    }

    private <T extends Number> T atLeast(String option, T value, long least) {
        if (value.longValue() < least) {
            throw wrongUsage(option + " must be at least " + least + ": " + value);
        }
        return value;
    }

    private List<DiskDriver> mainDrivers() {
        if (names.isEmpty()) {
            return drivers.main();
        }
        return named(names);
    }

    private List<DiskDriver> rotating() {
        return names.isEmpty() ? drivers.rotating() : List.of();
    }

    private List<DiskDriver> named(List<String> wanted) {
        List<DiskDriver> found = new ArrayList<>();
        for (String name : wanted) {
            Optional<DiskDriver> driver = drivers.named(name);
            if (driver.isEmpty()) {
                throw wrongUsage("there is no implementation \"" + name + "\"; known are " + drivers.names());
            }
            found.add(driver.get());
        }
        return found;
    }

    private int repeat(long scenarioSeed) throws InterruptedException {
        List<DiskDriver> chosen = mainDrivers();
        Optional<ConcurrentDifference> difference = Optional.empty();
        int repetitions = sequences == null
                ? REPETITIONS
                : Math.toIntExact(Math.min(atLeast("--sequences", sequences, 1), Integer.MAX_VALUE));
        for (DiskDriver driver : chosen) {
            if (difference.isEmpty()) {
                difference = ConcurrentDifference.find(scenarioSeed, driver, drivers.witness(driver), repetitions);
            }
        }
        new ConformReport(out()).printRepeated(scenarioSeed, repetitions, chosen, difference);
        return difference.isEmpty() ? ExitCode.SAME : ExitCode.DIFFERENT;
    }

    private int replay(Path file) throws IOException, InterruptedException {
        Script script;
        try {
            script = ScriptText.parse(Files.readString(file));
        } catch (ScriptException e) {
            throw wrongUsage(file + ": " + e.getMessage());
        }
        List<DiskDriver> chosen = !names.isEmpty()
                ? named(names)
                : script.subjects().isEmpty() ? drivers.main() : named(script.subjects());
        Optional<Difference> difference = Campaign.replay(script, traced(CampaignOptions.ofSeed(0)), chosen);
        new ConformReport(out()).printReplay(script, chosen, difference);
        return difference.isEmpty() ? ExitCode.SAME : ExitCode.DIFFERENT;
    }

    private ParameterException wrongUsage(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
