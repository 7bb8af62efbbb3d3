package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.Implementations;
import dev.qcow2.conformance.tool.SecretStore;
import dev.qcow2.conformance.tool.ToolException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The command line of {@code qcow2 io}.
 *
 * @param implementation the name of the implementation
 * @param secrets what unlocks images
 * @param settings how the image is opened
 * @param imageOptions whether the image is named by options
 * @param format the image's format, if the user said it
 * @param commands what is to be done; empty if the commands come from standard input
 * @param file the image, if there is one
 * @param end what the user wants instead of all this
 */
record IoArguments(
        String implementation,
        SecretStore secrets,
        ImageSettings settings,
        boolean imageOptions,
        Optional<String> format,
        List<String> commands,
        Optional<String> file,
        End end) {

    /** What a command line can ask for instead of commands. */
    enum End {
        /** Nothing: the commands are run. */
        NONE,
        /** The help. */
        HELP,
        /** The version. */
        VERSION,
        /** The command line is wrong, so the help is shown. */
        USAGE
    }

    private static final char OBJECT = '\u0001';
    private static final char IMAGE_OPTIONS = '\u0002';
    private static final char IMPLEMENTATION = '\u0003';

    static final String LETTERS =
            "hVc:f:mT:" + ImageSettings.LETTERS + OBJECT + ":" + IMAGE_OPTIONS + IMPLEMENTATION + ":";

    static final Map<String, Character> LONG_NAMES = Map.ofEntries(
            Map.entry("help", 'h'),
            Map.entry("version", 'V'),
            Map.entry("cmd", 'c'),
            Map.entry("format", 'f'),
            Map.entry("read-only", 'r'),
            Map.entry("snapshot", 's'),
            Map.entry("nocache", 'n'),
            Map.entry("copy-on-read", 'C'),
            Map.entry("misalign", 'm'),
            Map.entry("native-aio", 'k'),
            Map.entry("aio", 'i'),
            Map.entry("cache", 't'),
            Map.entry("discard", 'd'),
            Map.entry("trace", 'T'),
            Map.entry("force-share", 'U'),
            Map.entry("object", OBJECT),
            Map.entry("image-opts", IMAGE_OPTIONS),
            Map.entry("impl", IMPLEMENTATION));

    /** Copies the list. */
    IoArguments {
        commands = List.copyOf(commands);
    }

    /** Reads a command line. */
    static IoArguments read(List<String> words, IoOutput output) throws CommandFailure {
        Reader reader = new Reader(output);
        OptionScanner options = new OptionScanner(IoOutput.PROGRAM, LETTERS, LONG_NAMES, words, output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            reader.take(letter, options.value());
            if (reader.end != End.NONE) {
                return reader.arguments(List.of());
            }
        }
        return reader.arguments(options.operands());
    }

    /** Collects what the options say. */
    private static final class Reader {

        private final IoOutput output;
        private final SecretStore secrets = new SecretStore();
        private final List<String> commands = new ArrayList<>();
        private final List<String> traces = new ArrayList<>();
        private ImageSettings settings = ImageSettings.STANDARD;
        private String implementation = System.getenv().getOrDefault(Implementations.VARIABLE, Implementations.DEFAULT);
        private boolean imageOptions;
        private @Nullable String format;
        private End end = End.NONE;

        private Reader(IoOutput output) {
            this.output = output;
        }

        private void take(int letter, String value) throws CommandFailure {
            switch (letter) {
                case 'h' -> end = End.HELP;
                case 'V' -> end = End.VERSION;
                case OptionScanner.WRONG -> end = End.USAGE;
                case 'c' -> commands.add(value);
                case 'f' -> format = value;
                case 'T' -> traces.add(value);
                case OBJECT -> secret(value);
                case IMAGE_OPTIONS -> imageOptions = true;
                case IMPLEMENTATION -> implementation = value;
                // Misaligned memory, the option m, is nothing that Java has.
                default -> settings = settings.with(letter, value);
            }
        }

        private void secret(String option) throws CommandFailure {
            try {
                secrets.add(option);
            } catch (ToolException e) {
                throw CommandFailure.named(String.valueOf(e.getMessage()));
            }
        }

        private IoArguments arguments(List<String> operands) throws CommandFailure {
            if (operands.size() > 1) {
                end = End.USAGE;
            }
            if (end == End.NONE && format != null && imageOptions) {
                throw CommandFailure.named("--image-opts and -f are mutually exclusive");
            }
            for (String trace : traces) {
                output.warning("trace event '" + trace + "' does not exist");
            }
            return new IoArguments(
                    implementation,
                    secrets,
                    settings,
                    imageOptions,
                    Optional.ofNullable(format),
                    commands,
                    operands.stream().findFirst(),
                    end);
        }
    }
}
