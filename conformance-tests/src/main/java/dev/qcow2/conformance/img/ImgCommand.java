package dev.qcow2.conformance.img;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code qcow2 img}; its work is in subcommands. */
@Command(
        name = "img",
        description = "Makes, shows, changes and converts images, with the words of qemu-img.",
        mixinStandardHelpOptions = true)
public final class ImgCommand implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** For picocli. */
    public ImgCommand() {}

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                Objects.requireNonNull(spec).commandLine(), "Not enough arguments: expected a subcommand");
    }
}
