package dev.qcow2.conformance.command;

import dev.qcow2.conformance.img.ImgCommand;
import dev.qcow2.conformance.io.IoProgram;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code qcow2}; its work is in subcommands. */
@Command(
        name = "qcow2",
        description = "Says whether a qcow2 implementation is right.",
        mixinStandardHelpOptions = true,
        version = "qcow2 0.1.0")
public final class Qcow2Command implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** For picocli. */
    public Qcow2Command() {}

    /**
     * Runs the command and ends the program.
     *
     * @param arguments of the command line
     */
    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(System.out, true, java.nio.charset.StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, java.nio.charset.StandardCharsets.UTF_8);
        System.exit(run(out, err, arguments));
    }

    /**
     * Runs the command.
     *
     * @param out where results go
     * @param err where errors and progress go
     * @param arguments of the command line
     * @return 0 if all is the same, 1 if there is a difference, 2 for wrong usage or environment
     */
    public static int run(PrintWriter out, PrintWriter err, String... arguments) {
        return run(Drivers::standard, out, err, arguments);
    }

    /** Runs the command with a choice of implementations. */
    static int run(Supplier<Drivers> drivers, PrintWriter out, PrintWriter err, String... arguments) {
        // Scripts start these thousands of times, and they read their arguments as C programs do.
        if (arguments.length > 0 && arguments[0].equals("img")) {
            return ImgCommand.run(out, err, Arrays.copyOfRange(arguments, 1, arguments.length));
        }
        if (arguments.length > 0 && arguments[0].equals("io")) {
            return IoProgram.run(out, err, Arrays.copyOfRange(arguments, 1, arguments.length));
        }
        return new Subcommands(drivers)
                .addTo(new CommandLine(new Qcow2Command()), arguments)
                .setOut(out)
                .setErr(err)
                .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
                    err.println("qcow2: " + (failure instanceof java.io.IOException ? failure.getMessage() : failure));
                    return ExitCode.TROUBLE;
                })
                .execute(arguments);
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                java.util.Objects.requireNonNull(spec).commandLine(), "expected a subcommand");
    }
}
