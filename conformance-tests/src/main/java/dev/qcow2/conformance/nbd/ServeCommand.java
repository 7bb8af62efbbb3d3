package dev.qcow2.conformance.nbd;

import dev.qcow2.conformance.nbd.Export.Trait;
import dev.qcow2.conformance.nbd.NbdServer.Life;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.DiskException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code qcow2 serve}: an image over NBD. Options have the names that they have in qemu-nbd. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeOnInvalidInput = ServeCommand.FAILED,
        description = {
            "Serves an image to clients of the network block device protocol (NBD).",
            "Prints one line when it listens, and ends when the last client has left (see -t), or on SIGTERM or SIGINT: "
                    + "requests under way are finished, the image is flushed and closed."
        },
        footer = {
            "",
            "Examples:",
            "  qcow2 serve -k /tmp/nbd.sock disk.qcow2          one client, on a Unix socket",
            "  qcow2 serve -t -e 8 -p 10809 disk.qcow2          up to 8 clients at a time, on 127.0.0.1:10809",
            "  qcow2 serve -r -x vm1 -k /tmp/nbd.sock disk.qcow2",
            "  nbdinfo 'nbd+unix:///?socket=/tmp/nbd.sock'      a client",
            "",
            "Other than qemu-nbd it listens on the loopback interface unless told otherwise, and obeys trims "
                    + "unless told otherwise (--discard).",
            "",
            "Exit code: 0 ended in good order, 1 otherwise."
        })
public final class ServeCommand implements Callable<Integer> {

    /** Anything but an end in good order, as in qemu-nbd. */
    static final int FAILED = 1;

    private static final int DEFAULT_PORT = 10809;
    private static final int MAX_PORT = 65535;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "IMAGE", description = "The image.")
    private String image = "";

    @Option(
            names = {"-k", "--socket"},
            paramLabel = "PATH",
            description = "Listen on a Unix socket of that name, which must not exist.")
    private @Nullable Path socket;

    @Option(
            names = {"-p", "--port"},
            paramLabel = "N",
            description = "Listen on a TCP port, 0 for any free one; default ${DEFAULT-VALUE}.")
    private int port = DEFAULT_PORT;

    @Option(
            names = {"-b", "--bind"},
            paramLabel = "ADDRESS",
            description = "Listen on the interface of that address; default ${DEFAULT-VALUE}.")
    private String bind = "127.0.0.1";

    @Option(
            names = {"-x", "--export-name"},
            paramLabel = "NAME",
            description = "By what name clients ask for the image; default is the empty name.")
    private String exportName = "";

    @Option(
            names = {"-D", "--description"},
            paramLabel = "TEXT",
            description = "Told to clients who ask.")
    private String description = "";

    @Option(
            names = {"-r", "--read-only"},
            description = "Clients can't write.")
    private boolean readOnly;

    @Option(
            names = {"-e", "--shared"},
            paramLabel = "N",
            description = "Clients at the same time, 0 for " + Limits.MAX_CLIENTS + "; default ${DEFAULT-VALUE}.")
    private int shared = 1;

    @Option(
            names = {"-t", "--persistent"},
            description = "Go on when the last client has left.")
    private boolean persistent;

    @Option(
            names = {"-A", "--allocation-depth"},
            description = "Block status also tells which image of the chain holds a range (qemu:allocation-depth).")
    private boolean allocationDepth;

    @Option(
            names = "--discard",
            paramLabel = "MODE",
            description = "What a trim does: unmap (or on), or ignore (or off); default ${DEFAULT-VALUE}.")
    private String discard = "unmap";

    @Option(
            names = "--pid-file",
            paramLabel = "PATH",
            description = "Holds the number of the process while it listens.")
    private @Nullable Path pidFile;

    @Mixin
    private ServedImage.Options imageOptions = new ServedImage.Options();

    /** For picocli. */
    public ServeCommand() {}

    @Override
    public Integer call() {
        PrintWriter err = spec().commandLine().getErr();
        try {
            checkOptions();
            serve();
            return 0;
        } catch (IOException | ToolException e) {
            err.println("qcow2 serve: " + e.getMessage());
            return FAILED;
        }
    }

    private void checkOptions() {
        if (socket != null && spec().commandLine().getParseResult().hasMatchedOption("--port")) {
            throw wrong("The socket (-k) and the port (-p) exclude each other");
        }
        if (port < 0 || port > MAX_PORT) {
            throw wrong("Invalid port number " + port);
        }
        if (shared < 0) {
            throw wrong("Invalid shared device number '" + shared + "'");
        }
        for (String text : new String[] {exportName, description}) {
            if (text.getBytes(StandardCharsets.UTF_8).length > Limits.MAX_TEXT_BYTES) {
                throw wrong("export name and description have at most " + Limits.MAX_TEXT_BYTES + " bytes");
            }
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec().commandLine(), message);
    }

    private boolean ignoresTrim() {
        return switch (discard) {
            case "unmap", "on" -> false;
            case "ignore", "off" -> true;
            default -> throw wrong("Invalid discard mode '" + discard + "'");
        };
    }

    private void serve() throws IOException, ToolException {
        boolean ignoreTrim = ignoresTrim();
        Life life = new Life(shared == 0 ? Limits.MAX_CLIENTS : Math.min(shared, Limits.MAX_CLIENTS), persistent);
        ListenAddress place = socket == null ? ListenAddress.tcp(bind, port) : ListenAddress.unix(socket);
        PrintWriter out = spec().commandLine().getOut();
        PrintWriter err = spec().commandLine().getErr();
        // Listening first: an image that can't be served is not touched.
        try (ServedSocket listening = ServedSocket.open(place)) {
            ServedImage opened = imageOptions.open(image, readOnly);
            Export export = export(opened, ignoreTrim);
            NbdServer server =
                    new NbdServer(listening.channel(), export, life, text -> err.println("qcow2 serve: " + text));
            try (GoodEnd end = GoodEnd.onSignal(server, listening, pidFile)) {
                end.announce(out, export, opened.kind());
                server.run();
                end.succeeded();
            }
        }
    }

    private Export export(ServedImage opened, boolean ignoreTrim) throws DiskException {
        Set<Trait> traits = EnumSet.noneOf(Trait.class);
        traits.addAll(opened.traits());
        addIf(readOnly, Trait.READ_ONLY, traits);
        // Who may come alone would wait for ever for a second connection of its own.
        addIf(shared != 1, Trait.SEVERAL_CLIENTS, traits);
        addIf(allocationDepth, Trait.ALLOCATION_DEPTH, traits);
        addIf(ignoreTrim, Trait.IGNORE_TRIM, traits);
        return new Export(exportName, description, opened.disk(), opened.disk().size(), traits);
    }

    private static void addIf(boolean condition, Trait trait, Set<Trait> traits) {
        if (condition) {
            traits.add(trait);
        }
    }

    private CommandSpec spec() {
        return Objects.requireNonNull(spec);
    }
}
