package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.ToolOptions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Describes {@code qcow2 io} for help, completion and manual. Scripts start the program thousands of times, so {@link IoProgram} reads the
 * command line by itself and looks here only when it is asked for help.
 */
@Command(
        name = "io",
        description = "Reads, writes and changes an image, with the words of qemu-io.",
        footer = {
            "Examples:",
            "  qcow2 io -c \"write -P 0xaa 0 64k\" -c \"read -P 0xaa 0 64k\" disk.qcow2",
            "  qcow2 io -r -c map disk.qcow2",
            "  echo \"aio_write -z 0 1M\" | qcow2 io disk.qcow2",
            "",
            "\"qcow2 io -c help\" lists the commands."
        })
// The fields describe the options for help, manual and completion; IoProgram reads the arguments itself.
@SuppressWarnings("UnusedVariable")
public final class IoCommand implements Runnable {

    @Mixin
    private ToolOptions tool = new ToolOptions();

    @Option(
            names = {"-c", "--cmd"},
            paramLabel = "COMMAND",
            description = "runs a command; may be repeated; without it commands come from standard input")
    private List<String> commands = new ArrayList<>();

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "qcow2 or raw; without it the first bytes decide")
    private @Nullable String format;

    @Option(
            names = {"-r", "--read-only"},
            description = "opens the image read-only")
    private boolean readOnly;

    @Option(
            names = {"-s", "--snapshot"},
            description = "lets changes go to a temporary overlay")
    private boolean overlay;

    @Option(
            names = {"-C", "--copy-on-read"},
            description = "copies to the image what is read from its backing files")
    private boolean copyOnRead;

    @Option(
            names = {"-n", "--nocache"},
            description = "goes past the host's page cache, the same as -t none")
    private boolean noCache;

    @Option(
            names = {"-t", "--cache"},
            paramLabel = "MODE",
            description = "none, writeback, writethrough, directsync or unsafe")
    private @Nullable String cache;

    @Option(
            names = {"-d", "--discard"},
            paramLabel = "MODE",
            description = "what becomes of discards: ignore or unmap")
    private @Nullable String discard;

    @Option(
            names = {"-i", "--aio"},
            paramLabel = "MODE",
            description = "taken and ignored: threads, native or io_uring")
    private @Nullable String aio;

    @Option(
            names = {"-k", "--native-aio"},
            description = "the same as -i native")
    private boolean nativeAio;

    @Option(
            names = {"-m", "--misalign"},
            description = "taken and ignored")
    private boolean misalign;

    @Option(
            names = {"-T", "--trace"},
            paramLabel = "PATTERN",
            description = "taken and ignored: there are no trace events")
    private List<String> traces = new ArrayList<>();

    @Option(
            names = {"-U", "--force-share"},
            description = "opens the image also if somebody else writes to it; needs -r")
    private boolean forceShare;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "shows this help")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            description = "shows the version")
    private boolean version;

    @Parameters(arity = "0..1", paramLabel = "IMAGE", description = "the image; with --image-opts its options")
    private @Nullable String image;

    /** For picocli. */
    public IoCommand() {}

    @Override
    public void run() {
        // Users come through IoProgram, which has the streams.
        throw new IllegalStateException("run with streams");
    }
}
