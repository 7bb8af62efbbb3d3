package dev.qcow2.conformance.command;

import dev.qcow2.conformance.bench.BenchCommand;
import dev.qcow2.conformance.img.ImgCommand;
import dev.qcow2.conformance.io.IoCommand;
import dev.qcow2.conformance.nbd.ServeCommand;
import dev.qcow2.conformance.small.SmallImagesCommand;
import dev.qcow2.conformance.tlc.ModelCommand;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import picocli.AutoComplete;
import picocli.CommandLine;

/**
 * The subcommands by name. One is made only if it is asked for: scripts start the program thousands of times, and to read the
 * annotations of all subcommands takes longer than what most of them do.
 */
final class Subcommands {

    /** These speak of all the others. */
    private static final Set<String> ABOUT_ALL = Set.of("man", "generate-completion");

    private final Map<String, Supplier<Object>> makers = new LinkedHashMap<>();

    /** Knows all subcommands. */
    Subcommands(Supplier<Drivers> drivers) {
        makers.put("conform", () -> new ConformCommand(drivers.get()));
        makers.put("bench", BenchCommand::new);
        makers.put("img", ImgCommand::new);
        makers.put("io", IoCommand::new);
        makers.put("small-images", () -> new SmallImagesCommand(Boolean.getBoolean(Launcher.TERMINAL)));
        makers.put("check-trace", CheckTraceCommand::new);
        makers.put("model", () -> new ModelCommand(Boolean.getBoolean(Launcher.TERMINAL)));
        makers.put("serve", ServeCommand::new);
        makers.put("replay-model", () -> new ReplayModelCommand(drivers.get()));
        makers.put("man", ManCommand::new);
        makers.put("generate-completion", AutoComplete.GenerateCompletion::new);
    }

    /** Adds the subcommand that the first argument names, or all of them if it names none. */
    CommandLine addTo(CommandLine root, String... arguments) {
        Supplier<Object> asked = arguments.length == 0 ? null : makers.get(arguments[0]);
        if (asked != null && !ABOUT_ALL.contains(arguments[0])) {
            return root.addSubcommand(arguments[0], asked.get());
        }
        makers.forEach((name, maker) -> root.addSubcommand(name, maker.get()));
        return root;
    }
}
