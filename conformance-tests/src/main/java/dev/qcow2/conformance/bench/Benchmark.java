package dev.qcow2.conformance.bench;

import dev.qcow2.conformance.program.HostProgram;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Runs workloads. In each round all contenders take their turn, so that a machine whose speed drifts
 * drifts for all of them; ratios are taken within a round.
 */
final class Benchmark {

    private static final int WARM_UPS = 2;

    private final Path directory;
    private final int rounds;
    private final Consumer<String> progress;

    /** The consumer hears of each run before it starts. */
    Benchmark(Path directory, int rounds, Consumer<String> progress) {
        this.directory = directory;
        this.rounds = rounds;
        this.progress = progress;
    }

    /** Returns how often the progress consumer will be called for a workload. */
    int runsOf(Workload workload, List<Contender> contenders) {
        if (workload.kind() == Workload.Kind.HEAP) {
            return rounds;
        }
        return (rounds + WARM_UPS + 1)
                * (int) contenders.stream().filter(c -> c.canRun(workload)).count();
    }

    /** Runs one workload on all contenders that know it. */
    List<Row> run(Workload workload, List<Contender> contenders) throws IOException {
        if (workload.kind() == Workload.Kind.HEAP) {
            return List.of(heap(workload));
        }
        List<Contender> able =
                contenders.stream().filter(c -> c.canRun(workload)).toList();
        Map<String, double[]> seconds = new LinkedHashMap<>();
        able.forEach(contender -> seconds.put(contender.name(), new double[rounds]));
        // The rounds before the first are for the compilers and caches of all contenders; nobody counts them.
        for (int round = -WARM_UPS; round < rounds; round++) {
            for (Contender contender : able) {
                double time = runOnce(workload, contender);
                if (round >= 0) {
                    Objects.requireNonNull(seconds.get(contender.name()))[round] = time;
                }
            }
        }
        List<Row> rows = new ArrayList<>();
        for (Contender contender : able) {
            rows.add(count(workload, contender, seconds));
        }
        deleteTree(directory.resolve("fresh"));
        return rows;
    }

    /** Only the optimized one has caches to bound. */
    private Row heap(Workload workload) throws IOException {
        Path where = directory.resolve("fresh");
        double[] seconds = new double[rounds];
        double heap = 0;
        long allocated = 0;
        for (int round = 0; round < rounds; round++) {
            progress.accept(workload.name() + " optimized");
            deleteTree(where);
            Files.createDirectories(where);
            HeapProbe.Figures figures = HeapProbe.run(where, workload.requests(), Goal.HEAP_BOUND_MIB);
            seconds[round] = figures.seconds();
            heap = Math.max(heap, figures.heapMib());
            allocated = allocatedBytes(where.resolve(Preparation.IMAGE));
        }
        deleteTree(where);
        OptionalDouble none = OptionalDouble.empty();
        return new Row(workload, "optimized", seconds, Map.of(), none, none, allocated, OptionalDouble.of(heap));
    }

    private double runOnce(Workload workload, Contender contender) throws IOException {
        progress.accept(workload.name() + " " + contender.name());
        return contender.run(workload, prepared(workload, contender));
    }

    /** Runs once more, behind a door that counts. */
    private Row count(Workload workload, Contender contender, Map<String, double[]> seconds) throws IOException {
        OptionalDouble bytes = OptionalDouble.empty();
        OptionalDouble calls = OptionalDouble.empty();
        if (contender instanceof DiskContender ours) {
            CountingHostFile.Counts counts = new CountingHostFile.Counts();
            runOnce(
                    workload,
                    ours.through(
                            files -> new WrappingHostDirectory<>(files, file -> new CountingHostFile(file, counts))));
            calls = OptionalDouble.of((double) counts.calls() / workload.requests());
            if (workload.kind() == Workload.Kind.WRITE) {
                bytes = OptionalDouble.of((double) counts.bytesWritten() / workload.guestBytes());
            }
        } else {
            runOnce(workload, contender);
        }
        Path file = where(workload, contender)
                .resolve(contender.needsImage() ? Preparation.IMAGE : RawContender.fileName(workload));
        double[] mine = Objects.requireNonNull(seconds.get(contender.name()));
        long allocated = allocatedBytes(file);
        OptionalDouble none = OptionalDouble.empty();
        return new Row(workload, contender.name(), mine, ratios(mine, seconds), bytes, calls, allocated, none);
    }

    private Map<String, Double> ratios(double[] mine, Map<String, double[]> seconds) {
        Map<String, Double> ratios = new LinkedHashMap<>();
        seconds.forEach((other, theirs) -> {
            double[] perRound = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                perRound[round] = theirs[round] / mine[round];
            }
            ratios.put(other, Row.median(perRound));
        });
        return ratios;
    }

    private Path where(Workload workload, Contender contender) {
        if (!contender.needsImage()) {
            return directory.resolve("raw");
        }
        String name = workload.preparation().name() + "-" + workload.diskSize();
        return reuses(workload) ? directory.resolve("prepared").resolve(name) : directory.resolve("fresh");
    }

    private static boolean reuses(Workload workload) {
        return workload.preparation().reusable() && workload.kind() != Workload.Kind.DISCARD;
    }

    private Path prepared(Workload workload, Contender contender) throws IOException {
        Path where = where(workload, contender);
        if (contender.needsImage() && !(reuses(workload) && Files.exists(where))) {
            deleteTree(where);
            Files.createDirectories(where);
            workload.preparation().prepare(new RealHostDirectory(where, Durability.NONE), workload.diskSize());
        }
        Files.createDirectories(where);
        settle();
        return where;
    }

    private static long allocatedBytes(Path file) throws IOException {
        // Java can't tell how many blocks a sparse file has; du can.
        String output = HostProgram.run(List.of("du", "-k", file.toString()), "", Duration.ofMinutes(1))
                .orThrow()
                .output();
        return Long.parseLong(output.split("\\s", 2)[0]) * 1024;
    }

    /**
     * Waits until the host has written out what preparations and earlier contenders left in its page cache. Otherwise it
     * does so while the next one is measured, who pays for it.
     */
    private void settle() throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(directory)) {
            files = walk.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            try (FileChannel channel = FileChannel.open(file)) {
                channel.force(true);
            }
        }
    }

    /** Removes a directory and what is in it, if it is there. */
    static void deleteTree(Path top) throws IOException {
        if (!Files.exists(top)) {
            return;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(top)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }
}
