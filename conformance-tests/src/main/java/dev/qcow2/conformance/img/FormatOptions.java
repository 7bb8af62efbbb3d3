package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.KeyValues;
import dev.qcow2.conformance.tool.ToolException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** What the user said about a new image with {@code -o}, and what holds where nothing was said. */
final class FormatOptions {

    /** How people read sizes that can't be read. */
    private static final String SIZE_HINT =
            "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
                    + "and exabytes, respectively.";

    private final String format;
    private final List<FormatOption> known;
    private final Map<String, String> values = new LinkedHashMap<>();

    private FormatOptions(String format, List<FormatOption> known) {
        this.format = format;
        this.known = known;
    }

    /** The options of a format, none of them given; empty if the format is unknown. */
    static Optional<FormatOptions> of(String format) {
        return switch (format) {
            case "qcow2" -> Optional.of(new FormatOptions(format, FormatOption.QCOW2));
            case "raw" -> Optional.of(new FormatOptions(format, FormatOption.RAW));
            default -> Optional.empty();
        };
    }

    /** The options that change a qcow2 image that exists. */
    static FormatOptions amending() {
        return new FormatOptions("qcow2", FormatOption.AMENDABLE);
    }

    /** The format's name. */
    String format() {
        return format;
    }

    /** Says whether a text asks for help: one of its parts is {@code help} or a question mark. */
    static boolean asksForHelp(String text) {
        return List.of(text.split(",", -1)).stream().anyMatch(part -> part.equals("help") || part.equals("?"));
    }

    /** Refuses what can't be a list, before anything else is looked at. */
    static void requireList(String text) throws ToolException {
        // A comma at the end would swallow what the next -o says.
        int commas = text.length() - text.replaceAll(",+$", "").length();
        if (text.isEmpty() || text.startsWith(",") || commas % 2 == 1) {
            throw new ToolException("Invalid option list: " + text);
        }
    }

    /** Adds what {@code -o} says. */
    void add(String text) throws ToolException {
        for (Map.Entry<String, String> entry : parts(text).entrySet()) {
            FormatOption option = option(entry.getKey()).orElseThrow(() -> unknown(entry.getKey()));
            requireValid(option, entry.getValue());
            values.put(option.name(), entry.getValue());
        }
    }

    private ToolException unknown(String name) {
        boolean elsewhere = known == FormatOption.AMENDABLE
                && FormatOption.QCOW2.stream()
                        .anyMatch(option -> !option.protocol() && option.name().equals(name));
        return new ToolException("Invalid parameter '" + name + "'"
                + (elsewhere ? "\nThis option is only supported for image creation" : ""));
    }

    /** A switch can be turned off by {@code no} in front of its name. */
    private Map<String, String> parts(String text) {
        Map<String, String> parts = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : KeyValues.parse(text, "").entrySet()) {
            String key = entry.getKey();
            boolean negated = key.startsWith("no")
                    && option(key).isEmpty()
                    && entry.getValue().equals("on");
            parts.put(negated ? key.substring(2) : key, negated ? "off" : entry.getValue());
        }
        return parts;
    }

    private Optional<FormatOption> option(String name) {
        return known.stream().filter(option -> option.name().equals(name)).findFirst();
    }

    private static void requireValid(FormatOption option, String value) throws ToolException {
        String parameter = "Parameter '" + option.name() + "' expects ";
        switch (option.kind()) {
            case TEXT -> {}
            case SWITCH -> {
                if (!FormatOption.YES.contains(value) && !FormatOption.NO.contains(value)) {
                    throw new ToolException(parameter + "'on' or 'off'");
                }
            }
            case NUMBER -> {
                if (number(value).isEmpty()) {
                    throw new ToolException(parameter + "a number");
                }
            }
            case SIZE -> {
                if (ByteSize.parse(value).isEmpty()) {
                    throw new ToolException(parameter + "a non-negative number below 2^64\n" + SIZE_HINT);
                }
            }
        }
    }

    private static OptionalLong number(String text) {
        try {
            return OptionalLong.of(Long.decode(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    /** Sets an option by another way than {@code -o}. */
    void set(String name, String value) {
        values.put(name, value);
    }

    /** What was given, or the standard value. */
    Optional<String> text(String name) {
        return Optional.ofNullable(values.get(name))
                .or(() -> option(name).map(FormatOption::standard).filter(standard -> !standard.isEmpty()));
    }

    /** What was given. */
    Optional<String> given(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /** A switch; off if nothing was said. */
    boolean on(String name) {
        return text(name).map(FormatOption.YES::contains).orElse(false);
    }

    /** A size or a number. */
    OptionalLong amount(String name) {
        Optional<String> text = text(name);
        Optional<FormatOption> option = option(name);
        if (text.isEmpty() || option.isEmpty()) {
            return OptionalLong.empty();
        }
        return option.get().kind() == FormatOption.Kind.SIZE ? ByteSize.parse(text.get()) : number(text.get());
    }

    /** The names that were given. */
    List<String> names() {
        return List.copyOf(values.keySet());
    }

    /** All options with their values, as they are shown when an image is made. */
    String line() {
        StringBuilder line = new StringBuilder();
        for (FormatOption option : known) {
            Optional<String> text = text(option.name());
            boolean amount = option.kind() == FormatOption.Kind.SIZE || option.kind() == FormatOption.Kind.NUMBER;
            if (text.isPresent()) {
                String value = amount
                        ? String.valueOf(amount(option.name()).orElse(0))
                        : text.get().replace(",", ",,");
                line.append(line.length() == 0 ? "" : " ")
                        .append(option.name())
                        .append('=')
                        .append(value);
            }
        }
        return line.toString();
    }

    /** Prints what {@code -o help} says; the options of files count only if a file is named. */
    static void help(ImgConsole console, FormatOptions options, boolean withFile) {
        console.line("Supported " + (withFile ? "" : options.format + " ") + "options:");
        list(
                console,
                options.known.stream()
                        .filter(option -> withFile || !option.protocol())
                        .toList());
        if (!withFile) {
            console.line("");
            console.line("The protocol level may support further options.");
            console.line("Specify the target filename to include those options.");
        }
    }

    /** Prints options, one a line. */
    static void list(ImgConsole console, List<FormatOption> options) {
        options.stream().sorted(Comparator.comparing(FormatOption::name)).forEach(option -> {
            String head = option.name() + "=" + option.kind().word();
            console.line(String.format("  %-22s - %s", head, option.help()));
        });
    }
}
