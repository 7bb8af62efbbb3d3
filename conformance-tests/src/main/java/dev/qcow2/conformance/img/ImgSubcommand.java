package dev.qcow2.conformance.img;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * What all subcommands of {@code qcow2 img} have in common. A subcommand declares its options, says in {@link #work} what it does, and
 * throws what the user has to know; here it becomes a message and an exit code.
 */
// picocli fills the fields; those that are taken without effect, and help, are read by nobody.
@SuppressWarnings("UnusedVariable")
abstract class ImgSubcommand implements Callable<Integer> {

    /** All went well. */
    static final int OK = 0;

    /** Anything went wrong. */
    static final int FAILED = 1;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private ToolOptions tool = new ToolOptions();

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "shows this help")
    private boolean help;

    @Parameters(arity = "0..*", paramLabel = "FILE", description = "names of images, and what else the command takes")
    private List<String> operands = new ArrayList<>();

    /** Does the work and returns the exit code. */
    abstract int work() throws UsageException, ToolException, DiskException;

    @Override
    public final Integer call() {
        try {
            // Wrong secrets are said before anything else.
            tool.settings(CacheMode.WRITEBACK, false);
            return work();
        } catch (UsageException e) {
            ImgCommand.usage(console(), e);
            return FAILED;
        } catch (ToolException e) {
            console().error(String.valueOf(e.getMessage()));
            return e.exitCode();
        } catch (DiskException e) {
            console().error(Failures.words(e));
            return FAILED;
        }
    }

    /**
     * Looks at the arguments before options are told from operands.
     *
     * @return the arguments that are left
     */
    List<String> received(List<String> arguments) throws UsageException {
        return arguments;
    }

    /** Returns where messages and results go. */
    final ImgConsole console() {
        CommandLine commandLine = Objects.requireNonNull(spec).commandLine();
        return new ImgConsole(commandLine.getOut(), commandLine.getErr());
    }

    /** Returns the options that every command has. */
    final ToolOptions tool() {
        return tool;
    }

    /** Returns what is no option. */
    final List<String> operands() {
        return operands;
    }

    /** Returns the one operand of commands that take no other. */
    final String onlyFile() throws UsageException {
        if (operands.size() != 1) {
            throw new UsageException("Expecting one image file name");
        }
        return operands.get(0);
    }

    /** Says whether {@code --output} asks for JSON. */
    static boolean json(@Nullable String output) throws ToolException {
        if (output == null || output.equals("human")) {
            return false;
        }
        if (output.equals("json")) {
            return true;
        }
        throw new ToolException("--output must be used with human or json as argument.");
    }

    /** Returns an opener under the command's settings. */
    final NodeOpener opener(CacheMode cache, boolean forceShare) throws ToolException {
        return new NodeOpener(tool.settings(cache, forceShare));
    }

    /** Refuses {@code --image-opts} together with {@code -f}. */
    final void requireOneWayToName(@Nullable String format) throws ToolException {
        if (tool.imageOptions() && format != null) {
            throw new ToolException("--image-opts and --format are mutually exclusive");
        }
    }

    /** Finds an image as the user named it: by {@code --image-opts} or by a name. */
    final ImageLocation locate(NodeOpener opener, String name, @Nullable String format) throws ToolException {
        requireOneWayToName(format);
        try {
            ObjectNode tree = tool.imageOptions()
                    ? BlockOptions.imageOptions(name)
                    : BlockOptions.named(name, Optional.ofNullable(format));
            return opener.locate(tree);
        } catch (ToolException e) {
            throw new ToolException(opening(name) + e.getMessage(), FAILED, e);
        } catch (DiskException e) {
            throw new ToolException(Failures.open(name, e), FAILED, e);
        }
    }

    /** Opens an image as the user named it. */
    final OpenNode open(NodeOpener opener, String name, @Nullable String format, OpenRequest request)
            throws ToolException {
        return open(opener, name, locate(opener, name, format), request);
    }

    /** Opens an image that was found. */
    final OpenNode open(NodeOpener opener, String name, ImageLocation location, OpenRequest request)
            throws ToolException {
        if (location.probed() && !location.qcow2() && request.writable()) {
            warnOfProbing(name);
        }
        try {
            OpenNode image = opener.open(location, request);
            if (!isTableWhole(location)) {
                image.close();
                throw new ToolException(opening(name) + "L1 table is too small");
            }
            if (request.writable()) {
                // That it was repaired, for instance: nothing is done silently to an image (QC-MNT-09).
                image.disk().notices().forEach(console()::warning);
            }
            return image;
        } catch (DiskException e) {
            throw new ToolException(Failures.open(name, location.fileName(), e), FAILED, e);
        }
    }

    /** Ours read an image whose L1 table ends early, and take the rest for not allocated; QEMU's users know a refusal. */
    static boolean isTableWhole(ImageLocation location) throws DiskException {
        if (!location.qcow2()) {
            return true;
        }
        try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
            return !HeaderFacts.of(file).map(HeaderFacts::tableEndsEarly).orElse(false);
        }
    }

    private void warnOfProbing(String name) {
        console()
                .plainError("WARNING: Image format was not specified for '" + name + "' and probing guessed raw.\n"
                        + "         Automatically detecting the format is dangerous for raw images, write operations on block 0 will"
                        + " be restricted.\n"
                        + "         Specify the 'raw' format explicitly to remove the restrictions.");
    }

    private static String opening(String name) {
        return "Could not open '" + name + "': ";
    }
}
