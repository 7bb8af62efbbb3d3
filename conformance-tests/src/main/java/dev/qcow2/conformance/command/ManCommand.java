package dev.qcow2.conformance.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code qcow2 man}. */
@Command(
        name = "man",
        description = "Writes manual pages, made from the definitions of the commands.",
        mixinStandardHelpOptions = true,
        footer = {"Examples:", "  qcow2 man img info | man -l -", "  qcow2 man --directory ~/.local/share/man/man1"})
final class ManCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "COMMAND",
            description = "the command whose page is printed, such as: img info")
    private List<String> names = List.of();

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "write the pages of all commands to this directory")
    private @Nullable Path directory;

    /** For picocli. */
    ManCommand() {}

    @Override
    public Integer call() throws IOException {
        CommandLine root = Objects.requireNonNull(spec).parent().commandLine();
        if (directory != null) {
            Files.createDirectories(directory);
            for (CommandSpec command : ManPage.all(root)) {
                Files.writeString(directory.resolve(ManPage.name(command) + ".1"), ManPage.of(command));
            }
            return ExitCode.SAME;
        }
        CommandLine command = root;
        for (String name : names) {
            command = command.getSubcommands().get(name);
            if (command == null) {
                throw new CommandLine.ParameterException(
                        spec.commandLine(), "there is no command " + String.join(" ", names));
            }
        }
        spec.commandLine().getOut().print(ManPage.of(command.getCommandSpec()));
        spec.commandLine().getOut().flush();
        return ExitCode.SAME;
    }
}
