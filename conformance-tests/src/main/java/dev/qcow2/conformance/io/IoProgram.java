package dev.qcow2.conformance.io;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Implementations;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolSettings;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import picocli.CommandLine;

/** {@code qcow2 io} from the command line to the exit code. */
public final class IoProgram {

    /** True if a person types and reads; the launcher says so, for Java can not tell on every version. */
    private static final String INTERACTIVE = "qcow2.interactive";

    private static final int OK = 0;
    private static final int FAILED = 1;
    private static final String PROMPT = "qemu-io> ";

    private static final String VERSION = "qcow2 io version 0.1.0 (speaks as qemu-io version 7.2)\n";

    private final IoOutput output;
    private final InputStream input;
    private final Signals signals;

    IoProgram(InputStream input, IoOutput output, Signals signals) {
        this.input = input;
        this.output = output;
        this.signals = signals;
    }

    /**
     * Runs the program on the process's own streams.
     *
     * @param out where results go
     * @param err where messages go
     * @param arguments behind the word {@code io}
     * @return 0 if all commands went well, 1 otherwise
     */
    public static int run(PrintWriter out, PrintWriter err, String... arguments) {
        IoOutput output = new IoOutput(out, err, Boolean.getBoolean(INTERACTIVE));
        return new IoProgram(System.in, output, Signals.ofProcess()).run(arguments);
    }

    /** Runs the program. */
    int run(String... arguments) {
        try {
            return dispatch(IoArguments.read(Arrays.asList(arguments), output));
        } catch (CommandFailure e) {
            e.tell(output);
            return FAILED;
        } finally {
            output.flush();
        }
    }

    private int dispatch(IoArguments arguments) throws CommandFailure {
        switch (arguments.end()) {
            case HELP, USAGE -> output.print(help());
            case VERSION -> output.print(VERSION);
            case NONE -> {
                return work(arguments);
            }
        }
        return arguments.end() == IoArguments.End.USAGE ? FAILED : OK;
    }

    private static String help() {
        return new CommandLine(new IoCommand()).setCommandName(IoOutput.PROGRAM).getUsageMessage();
    }

    private int work(IoArguments arguments) throws CommandFailure {
        Session session = new Session(output, opening(arguments), signals);
        if (arguments.file().isPresent()) {
            open(session, arguments, arguments.file().get());
        }
        Shell shell = new Shell(session);
        boolean good = true;
        if (arguments.commands().isEmpty()) {
            good = converse(session, shell);
        } else {
            for (String command : arguments.commands()) {
                good &= session.hasEnded() || shell.run(command);
            }
        }
        session.closeImage();
        return good ? OK : FAILED;
    }

    private ImageOpening opening(IoArguments arguments) throws CommandFailure {
        try {
            ToolSettings tool = new ToolSettings(
                    Implementations.named(arguments.implementation()),
                    Path.of(""),
                    arguments.secrets(),
                    CacheMode.WRITEBACK,
                    false);
            return new ImageOpening(tool, output);
        } catch (ToolException e) {
            throw CommandFailure.named(String.valueOf(e.getMessage()));
        }
    }

    private static void open(Session session, IoArguments arguments, String file) throws CommandFailure {
        Optional<String> name = arguments.imageOptions() ? Optional.empty() : Optional.of(file);
        try {
            ObjectNode tree = arguments.imageOptions()
                    ? BlockOptions.imageOptions(file)
                    : BlockOptions.named(file, arguments.format());
            session.use(session.opening().open(tree, name, arguments.settings()));
        } catch (ToolException e) {
            throw ImageOpening.failed(name, String.valueOf(e.getMessage()));
        }
    }

    /** Takes commands from standard input, with a prompt in front of each, whoever reads it. */
    private boolean converse(Session session, Shell shell) throws CommandFailure {
        InputStream lines = new BufferedInputStream(input);
        boolean good = true;
        while (!session.hasEnded()) {
            output.print(PROMPT);
            output.flush();
            session.background().setIdle(true);
            Optional<String> line = line(lines);
            session.background().setIdle(false);
            if (line.isEmpty()) {
                break;
            }
            good &= shell.run(line.get());
        }
        return good;
    }

    private static Optional<String> line(InputStream lines) throws CommandFailure {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            int next = lines.read();
            while (next >= 0 && next != '\n') {
                bytes.write(next);
                next = lines.read();
            }
            boolean nothing = next < 0 && bytes.size() == 0;
            return nothing ? Optional.empty() : Optional.of(bytes.toString(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw CommandFailure.named("can't read commands: " + e.getMessage());
        }
    }
}
