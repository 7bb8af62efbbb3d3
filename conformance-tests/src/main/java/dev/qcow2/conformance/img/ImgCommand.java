package dev.qcow2.conformance.img;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The command {@code qcow2 img}; its work is in subcommands. The class describes the whole family for help, completion and manual;
 * {@link #run} starts one member without making the others.
 */
@Command(
        name = "img",
        description = "Makes, shows, changes and converts images, with the words of qemu-img.",
        subcommands = {
            AmendCommand.class,
            BenchCommand.class,
            BitmapCommand.class,
            CheckCommand.class,
            CommitCommand.class,
            CompareCommand.class,
            ConvertCommand.class,
            CreateCommand.class,
            DdCommand.class,
            InfoCommand.class,
            MapCommand.class,
            MeasureCommand.class,
            RebaseCommand.class,
            ResizeCommand.class,
            SnapshotCommand.class
        })
// picocli fills the fields; those that are taken without effect, and help, are read by nobody.
@SuppressWarnings("UnusedVariable")
public final class ImgCommand implements Runnable {

    private static final String VERSION = "qcow2 img version 0.1.0 (speaks as qemu-img version 7.2)";

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "shows this help")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            description = "shows the version")
    private boolean version;

    @Option(
            names = {"-T", "--trace"},
            paramLabel = "PATTERN",
            description = "taken and ignored: there are no trace events")
    private List<String> trace = new ArrayList<>();

    /** For picocli. */
    public ImgCommand() {}

    @Override
    public void run() {
        // What the tree of commands does when it is asked for nothing; users come through the method with streams.
        throw new IllegalStateException("run with streams");
    }

    /**
     * Runs a subcommand.
     *
     * @param out where results go
     * @param err where messages go
     * @param arguments behind the word {@code img}
     * @return the exit code of qemu-img in the same place
     */
    public static int run(PrintWriter out, PrintWriter err, String... arguments) {
        ImgConsole console = new ImgConsole(out, err);
        try {
            return dispatch(console, err, Arrays.asList(arguments));
        } catch (UsageException e) {
            usage(console, e);
            return ImgSubcommand.FAILED;
        }
    }

    private static int dispatch(ImgConsole console, PrintWriter err, List<String> arguments) throws UsageException {
        int next = 0;
        while (next < arguments.size() && arguments.get(next).startsWith("-")) {
            String option = arguments.get(next++);
            switch (option) {
                case "-h", "--help" -> {
                    return execute(new CommandLine(new ImgCommand()), console, err, List.of(option));
                }
                case "-V", "--version" -> {
                    console.line(VERSION);
                    return ImgSubcommand.OK;
                }
                case "-T", "--trace" -> next++;
                default -> {
                    if (!option.startsWith("-T") && !option.startsWith("--trace=")) {
                        throw new UsageException("unrecognized option '" + option + "'");
                    }
                }
            }
        }
        if (next >= arguments.size()) {
            throw new UsageException("Not enough arguments");
        }
        String name = arguments.get(next);
        ImgSubcommand subcommand = subcommand(name).orElseThrow(() -> new UsageException("Command not found: " + name));
        CommandLine commandLine = new CommandLine(subcommand);
        List<String> rest = subcommand.received(arguments.subList(next + 1, arguments.size()));
        List<String> normalised = Getopt.normalised(commandLine.getCommandSpec(), rest);
        return execute(commandLine, console, err, normalised);
    }

    private static int execute(CommandLine commandLine, ImgConsole console, PrintWriter err, List<String> arguments) {
        String name = commandLine.getCommandName();
        return commandLine
                .setCommandName(name.equals("img") ? ImgConsole.PROGRAM : ImgConsole.PROGRAM + " " + name)
                .setOut(console.out())
                .setErr(err)
                .setExpandAtFiles(false)
                .setOverwrittenOptionsAllowed(true)
                .setAllowOptionsAsOptionParameters(true)
                .setParameterExceptionHandler((failure, words) -> {
                    usage(console, new UsageException(String.valueOf(failure.getMessage())));
                    return ImgSubcommand.FAILED;
                })
                .setExecutionExceptionHandler((failure, running, parsed) -> {
                    // An error of this program, not of its user: where it happened is what helps.
                    failure.printStackTrace(err);
                    console.error("internal error: " + failure);
                    return ImgSubcommand.FAILED;
                })
                .execute(arguments.toArray(String[]::new));
    }

    private static Optional<ImgSubcommand> subcommand(String name) {
        return Optional.ofNullable(
                switch (name) {
                    case "amend" -> new AmendCommand();
                    case "bench" -> new BenchCommand();
                    case "bitmap" -> new BitmapCommand();
                    case "check" -> new CheckCommand();
                    case "commit" -> new CommitCommand();
                    case "compare" -> new CompareCommand();
                    case "convert" -> new ConvertCommand();
                    case "create" -> new CreateCommand();
                    case "dd" -> new DdCommand();
                    case "info" -> new InfoCommand();
                    case "map" -> new MapCommand();
                    case "measure" -> new MeasureCommand();
                    case "rebase" -> new RebaseCommand();
                    case "resize" -> new ResizeCommand();
                    case "snapshot" -> new SnapshotCommand();
                    default -> null;
                });
    }

    /** Prints what is wrong with a command line, and where to look. */
    static void usage(ImgConsole console, UsageException failure) {
        console.error(String.valueOf(failure.getMessage()));
        console.plainError("Try '" + ImgConsole.PROGRAM + " --help' for more information");
    }
}
