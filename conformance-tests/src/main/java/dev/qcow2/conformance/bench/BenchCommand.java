package dev.qcow2.conformance.bench;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.optimized.OptimizedOptions;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory.Caching;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code qcow2 bench}: who is how fast, side by side in one run. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures reference, optimized, QEMU and a raw file side by side, and prints ratios.",
        footer = {
            "",
            "Examples:",
            "  qcow2 bench                                  every workload, five rounds",
            "  qcow2 bench --workload 'seed-*' --lattice    the seed's, with each optimisation off",
            "  qcow2 bench --scale 8 --rounds 3             a quick look",
            "  qcow2 bench --direct --dir /var/tmp          past the page cache",
            "",
            "Exit code: 0 measured, 2 usage or environment."
        })
public final class BenchCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--workload", paramLabel = "GLOB", description = "Only workloads of that name; * matches anything.")
    private List<String> globs = List.of("*");

    @Option(names = "--rounds", description = "Measured rounds after a warm-up; default ${DEFAULT-VALUE}.")
    private int rounds = 5;

    @Option(names = "--scale", description = "Divides the number of requests; default ${DEFAULT-VALUE}.")
    private int scale = 1;

    @Option(names = "--lattice", description = "Also runs optimized with each optimisation off.")
    private boolean lattice;

    @Option(
            names = "--direct",
            description = "Past the page cache (O_DIRECT; QEMU's cache mode none) instead of through it.")
    private boolean direct;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures as JSON.")
    private @Nullable Path json;

    @Option(names = "--svg", paramLabel = "FILE", description = "Writes the plot; default ${DEFAULT-VALUE}.")
    private Path svg = Path.of("bench.svg");

    @Option(names = "--dir", paramLabel = "DIR", description = "Where images live while measured; needs some GiB.")
    private @Nullable Path directory;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        List<Workload> workloads = Workloads.all(Math.max(1, scale)).stream()
                .filter(this::selected)
                .toList();
        if (workloads.isEmpty() || rounds < 1 || scale < 1) {
            out.println("Nothing to do: no workload matches " + globs + ", or no rounds, or a scale below 1. Names: ");
            Workloads.all(1).forEach(workload -> out.println("  " + workload.name()));
            return 2;
        }
        Path work = directory == null
                ? Files.createTempDirectory("qcow2-bench-")
                : Files.createTempDirectory(directory, "qcow2-bench-");
        try {
            List<Contender> contenders = contenders(caching(work, out));
            if (contenders.stream().noneMatch(contender -> contender.name().equals("qemu"))) {
                out.println("QEMU is not installed: its column stays empty. Install qemu-utils to have it.");
            }
            report(measure(work, workloads, contenders, out), out);
        } finally {
            Benchmark.deleteTree(work);
        }
        return 0;
    }

    /** What was asked for, as far as the file system allows it. */
    private Caching caching(Path work, PrintWriter out) throws IOException {
        if (!direct) {
            return Caching.PAGE_CACHE;
        }
        Path trial = work.resolve("trial");
        RealHostDirectory files = new RealHostDirectory(work, Durability.NONE, Caching.DIRECT);
        try (HostFile file = files.create(trial.getFileName().toString())) {
            file.write(0, ByteBuffer.allocate(1 << 16));
            return Caching.DIRECT;
        } catch (DiskException e) {
            out.println("The file system of " + work.getParent() + " refuses direct I/O (" + e.getMessage()
                    + "): everybody works through the page cache. Choose another one with --dir.");
            return Caching.PAGE_CACHE;
        } finally {
            Files.deleteIfExists(trial);
        }
    }

    private List<Row> measure(Path work, List<Workload> workloads, List<Contender> contenders, PrintWriter out)
            throws IOException {
        List<Row> rows = new ArrayList<>();
        try (ProgressBar bar = new ProgressBarBuilder()
                .setTaskName("bench")
                .setInitialMax(0)
                .setUpdateIntervalMillis(500)
                .build()) {
            Benchmark benchmark = new Benchmark(work, rounds, run -> {
                bar.step();
                bar.setExtraMessage(run);
            });
            bar.maxHint(workloads.stream()
                    .mapToLong(workload -> benchmark.runsOf(workload, contenders))
                    .sum());
            for (Workload workload : workloads) {
                List<Row> group = benchmark.run(workload, contenders);
                out.println();
                out.print(BenchReport.table(group));
                out.flush();
                rows.addAll(group);
            }
        }
        return rows;
    }

    private void report(List<Row> rows, PrintWriter out) throws IOException {
        List<String> judged = Goal.judge(rows);
        if (!judged.isEmpty()) {
            out.println();
            out.println("Goals:");
            judged.forEach(line -> out.println("  " + line));
        }
        BenchPlot.write(rows, svg);
        out.println();
        out.println("Plot: " + svg.toAbsolutePath());
        if (json != null) {
            BenchReport.writeJson(rows, json);
            out.println("JSON: " + json.toAbsolutePath());
        }
        out.flush();
    }

    private List<Contender> contenders(Caching caching) {
        List<Contender> contenders = new ArrayList<>();
        contenders.add(new DiskContender("reference", new ReferenceDriver(), false, caching));
        contenders.add(new DiskContender("optimized", new OptimizedDriver(), true, caching));
        if (lattice) {
            RecordComponent[] switches = OptimizedOptions.class.getRecordComponents();
            for (int i = 0; i < OptimizedOptions.SWITCHES; i++) {
                OptimizedOptions oneOff =
                        OptimizedOptions.of(OptimizedOptions.allOn().bits() & ~(1 << i));
                contenders.add(new DiskContender(
                        "without " + switches[i].getName(), new OptimizedDriver(oneOff), false, caching));
            }
        }
        if (QemuContender.isInstalled()) {
            contenders.add(new QemuContender(caching));
        }
        contenders.add(new RawContender(caching));
        return contenders;
    }

    private boolean selected(Workload workload) {
        return globs.stream().map(BenchCommand::globMatcher).anyMatch(matcher -> matcher.test(workload.name()));
    }

    private static Predicate<String> globMatcher(String glob) {
        String regex = Pattern.quote(glob).replace("*", "\\E.*\\Q");
        return Pattern.compile(regex).asMatchPredicate();
    }
}
