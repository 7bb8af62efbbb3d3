package dev.qcow2.spec.tla;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Runs TLC on a model, each time in a JVM of its own with a folder of its own: TLC keeps state in
 * static fields and names its files after the second in which it starts.
 *
 * <p>A run can change constants of the configuration: that is how a fault is seeded.
 */
public final class ModelRun {

    /** The constant that names the seeded fault. */
    public static final String FAULT = "Fault";

    private static final Duration LISTENING = Duration.ofSeconds(2);
    private static final int ALL_HOLD = 0;
    private static final List<Integer> BROKEN = List.of(10, 11, 12, 13);

    private final Path scratch;
    private final Duration limit;
    private final String heap;
    private final LongConsumer states;
    private final boolean counting;

    /**
     * Makes a runner that tells nobody how far it is.
     *
     * @param scratch a folder in which each run makes and removes a folder of its own
     * @param limit how long a run may take
     * @param heap how much memory a run may take, as the option -Xmx says it: "1g"
     */
    public ModelRun(Path scratch, Duration limit, String heap) {
        this(scratch, limit, heap, found -> {});
    }

    /**
     * Makes a runner.
     *
     * @param scratch a folder in which each run makes and removes a folder of its own
     * @param limit how long a run may take
     * @param heap how much memory a run may take, as the option -Xmx says it: "1g"
     * @param states hears now and then how many distinct states were found; TLC says so once a minute
     */
    public ModelRun(Path scratch, Duration limit, String heap, LongConsumer states) {
        this(scratch, limit, heap, states, false);
    }

    private ModelRun(Path scratch, Duration limit, String heap, LongConsumer states, boolean counting) {
        this.scratch = scratch;
        this.limit = limit;
        this.heap = heap;
        this.states = states;
        this.counting = counting;
    }

    /**
     * Returns a runner that counts how often each action is taken, which takes a third longer.
     *
     * @return one with the same limits
     */
    public ModelRun counting() {
        return new ModelRun(scratch, limit, heap, states, true);
    }

    /**
     * Checks a model.
     *
     * @param model which
     * @return what was found
     * @throws ModelException if there is no answer
     * @throws IOException if files cannot be written or the process cannot be started
     */
    public ModelOutcome run(ModelCase model) throws ModelException, IOException {
        return run(model, Map.of());
    }

    /**
     * Checks a model with a seeded fault.
     *
     * @param model which
     * @param fault the name of the fault
     * @return what was found
     * @throws ModelException if there is no answer
     * @throws IOException if files cannot be written or the process cannot be started
     */
    public ModelOutcome run(ModelCase model, String fault) throws ModelException, IOException {
        return run(model, Map.of(FAULT, "\"" + fault + "\""));
    }

    /**
     * Checks a model with other constants.
     *
     * @param model which
     * @param constants new values of constants, as the configuration writes them
     * @return what was found
     * @throws ModelException if there is no answer, or the configuration has no such constant
     * @throws IOException if files cannot be written or the process cannot be started
     */
    public ModelOutcome run(ModelCase model, Map<String, String> constants) throws ModelException, IOException {
        String configuration = withConstants(model.configuration(), ModelFiles.text(model.configuration()), constants);
        return run(model.module(), model.configuration(), configuration, Map.of(), null);
    }

    /**
     * Checks a model with a seeded fault, so that each step of a counterexample is named after the
     * request and its parameters: {@code Write_1_1_2_a}.
     *
     * @param model which
     * @param fault the name of the fault, or "none"
     * @return what was found
     * @throws ModelException if there is no answer
     * @throws IOException if files cannot be written or the process cannot be started
     */
    public ModelOutcome trace(ModelCase model, String fault) throws ModelException, IOException {
        String text = ModelFiles.text(model.configuration());
        boolean sound = fault.equals("none");
        String configuration =
                withConstants(model.configuration(), text, sound ? Map.of() : Map.of(FAULT, "\"" + fault + "\""));
        Optional<TracedModule> traced = TracedModule.of(model.module(), configuration);
        if (traced.isEmpty()) {
            return run(model.module(), model.configuration(), configuration, Map.of(), null);
        }
        return run(
                traced.get().module(),
                model.configuration(),
                traced.get().configuration(),
                Map.of(traced.get().module() + ".tla", traced.get().text()),
                null);
    }

    /**
     * Runs TLC on texts.
     *
     * @param module the module to run
     * @param configurationName what to call the configuration if something is wrong with it
     * @param configuration text of the configuration
     * @param extraModules further modules, text by file name; they may replace modules of the class path
     * @param graph where to dump the graph of states, or null
     */
    ModelOutcome run(
            String module,
            String configurationName,
            String configuration,
            Map<String, String> extraModules,
            @Nullable Path graph)
            throws ModelException, IOException {
        Finished finished = execute(module, configurationName, configuration, extraModules, graph);
        return outcome(
                finished.output(), finished.exitCode(), finished.time(), module, configurationName, configuration);
    }

    /** What a process of TLC left. */
    private record Finished(TlcOutput output, int exitCode, Duration time) {}

    /**
     * Runs TLC on a module that prints what it finds and breaks nothing.
     *
     * @param module the module to run
     * @param configuration text of the configuration
     * @param extraModules further modules, text by file name
     * @return the lines that it printed
     */
    List<String> printed(String module, String configuration, Map<String, String> extraModules)
            throws ModelException, IOException {
        Finished finished = execute(module, module + ".cfg", configuration, extraModules, null);
        if (finished.exitCode() != ALL_HOLD) {
            throw TlcFailure.of(finished.output(), module, module + ".cfg", configuration, finished.exitCode());
        }
        return finished.output().parserLines();
    }

    private Finished execute(
            String module,
            String configurationName,
            String configuration,
            Map<String, String> extraModules,
            @Nullable Path graph)
            throws ModelException, IOException {
        Files.createDirectories(scratch);
        Path folder = Files.createTempDirectory(scratch, "tlc");
        try {
            ModelFiles.layOut(folder);
            for (Map.Entry<String, String> extra : extraModules.entrySet()) {
                Files.writeString(folder.resolve(extra.getKey()), extra.getValue());
            }
            Files.writeString(folder.resolve("model.cfg"), configuration);
            long start = System.nanoTime();
            Path log = folder.resolve("output.txt");
            int exitCode = start(folder, log, command(folder, module, graph), configurationName);
            Duration time = Duration.ofNanos(System.nanoTime() - start);
            TlcOutput output = new TlcOutput(Files.readAllLines(log, StandardCharsets.UTF_8));
            return new Finished(output, exitCode, time);
        } finally {
            ModelFiles.remove(folder);
        }
    }

    private static ModelOutcome outcome(
            TlcOutput output,
            int exitCode,
            Duration time,
            String module,
            String configurationName,
            String configuration)
            throws ModelException {
        boolean broken = BROKEN.contains(exitCode) && !output.brokenProperty().isEmpty();
        if (exitCode != ALL_HOLD && !broken) {
            throw TlcFailure.of(output, module, configurationName, configuration, exitCode);
        }
        return new ModelOutcome(
                output.distinctStates(),
                output.generatedStates(),
                output.depth(),
                time,
                broken ? new Counterexample(output.brokenProperty(), output.steps()) : null,
                output.taken());
    }

    private int start(Path folder, Path log, List<String> command, String configurationName)
            throws ModelException, IOException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            long end = System.nanoTime() + limit.toNanos();
            long left = limit.toNanos();
            while (!process.waitFor(Math.min(left, LISTENING.toNanos()), TimeUnit.NANOSECONDS)) {
                left = end - System.nanoTime();
                if (left <= 0) {
                    throw new ModelException(
                            configurationName, 0, "TLC had no answer after " + limit.toMillis() / 1000.0 + " s");
                }
                TlcOutput.statesSoFar(log).ifPresent(states);
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while TLC was running", e);
        } finally {
            process.destroyForcibly();
        }
    }

    private List<String> command(Path folder, String module, @Nullable Path graph) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx" + heap,
                "-Xss16m",
                "-Djava.io.tmpdir=" + folder.toAbsolutePath(),
                "-cp",
                checkerClassPath(),
                "tlc2.TLC",
                "-tool",
                "-fp",
                "0",
                "-workers",
                "1",
                "-metadir",
                folder.resolve("states").toAbsolutePath().toString(),
                "-config",
                "model.cfg"));
        if (counting) {
            command.addAll(List.of("-coverage", "1"));
        }
        if (graph != null) {
            command.addAll(
                    List.of("-dump", "dot,actionlabels", graph.toAbsolutePath().toString()));
        }
        command.add(module);
        return command;
    }

    /** Where the checker's classes come from; they are needed at run time only. */
    private static String checkerClassPath() {
        try {
            Class<?> checker = Class.forName("tlc2.TLC", false, ModelRun.class.getClassLoader());
            return Path.of(checker.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (ClassNotFoundException | URISyntaxException e) {
            throw new IllegalStateException("the model checker TLC is not on the class path", e);
        }
    }

    /** Changes the values of constants in a configuration. */
    static String withConstants(String name, String configuration, Map<String, String> constants)
            throws ModelException {
        String changed = configuration;
        for (Map.Entry<String, String> constant : constants.entrySet()) {
            Matcher matcher = Pattern.compile("(?m)^(\\s+" + constant.getKey() + " = ).*$")
                    .matcher(changed);
            if (!matcher.find()) {
                throw new ModelException(name, 0, "there is no constant " + constant.getKey());
            }
            changed = matcher.replaceAll(
                    Matcher.quoteReplacement("    " + constant.getKey() + " = " + constant.getValue()));
        }
        return changed;
    }
}
