package dev.qcow2.conformance.command;

import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Writes a command's manual page, in the language of troff's man macros, from the same definition that its help is made of. */
final class ManPage {

    private final CommandSpec spec;
    private final StringBuilder page = new StringBuilder();

    private ManPage(CommandSpec spec) {
        this.spec = spec;
    }

    /** Returns the name of a command's page: {@code qcow2-img-info}. */
    static String name(CommandSpec spec) {
        return spec.qualifiedName("-");
    }

    /** Returns a command's page as text. */
    static String of(CommandSpec spec) {
        ManPage page = new ManPage(spec);
        page.write();
        return page.page.toString();
    }

    private void write() {
        line(".TH " + name(spec).toUpperCase(java.util.Locale.ROOT) + " 1");
        section("NAME");
        line(escaped(name(spec) + " - " + firstSentence()));
        section("SYNOPSIS");
        line(".nf");
        line(escaped(plain(spec.commandLine().getHelp().synopsis(0)).stripTrailing()));
        line(".fi");
        section("DESCRIPTION");
        paragraph(text(spec.usageMessage().description()));
        parameters();
        options();
        subcommands();
        examples();
    }

    private String firstSentence() {
        String description = text(spec.usageMessage().description());
        int end = description.indexOf(". ");
        return end < 0 ? description : description.substring(0, end);
    }

    private void parameters() {
        List<PositionalParamSpec> shown = spec.positionalParameters().stream()
                .filter(parameter -> !parameter.hidden())
                .toList();
        if (shown.isEmpty()) {
            return;
        }
        section("ARGUMENTS");
        shown.forEach(parameter -> entry(parameter.paramLabel(), text(parameter.description())));
    }

    private void options() {
        List<OptionSpec> shown =
                spec.options().stream().filter(option -> !option.hidden()).toList();
        if (shown.isEmpty()) {
            return;
        }
        section("OPTIONS");
        for (OptionSpec option : shown) {
            String names = String.join(", ", option.names());
            boolean valued = option.arity().max() > 0;
            entry(valued ? names + " " + option.paramLabel() : names, text(option.description()));
        }
    }

    private void subcommands() {
        if (spec.subcommands().isEmpty()) {
            return;
        }
        section("COMMANDS");
        spec.subcommands()
                .forEach((name, command) ->
                        entry(name, text(command.getCommandSpec().usageMessage().description())));
        section("SEE ALSO");
        line(escaped(spec.subcommands().values().stream()
                .map(command -> name(command.getCommandSpec()) + "(1)")
                .collect(Collectors.joining(", "))));
    }

    private void examples() {
        String[] footer = spec.usageMessage().footer();
        if (footer.length == 0) {
            return;
        }
        section("EXAMPLES");
        line(".nf");
        for (String row : footer) {
            line(escaped(plain(format(row))));
        }
        line(".fi");
    }

    private void section(String title) {
        line(".SH " + title);
    }

    private void entry(String term, String meaning) {
        line(".TP");
        line("\\fB" + escaped(term) + "\\fR");
        line(escaped(meaning));
    }

    private void paragraph(String text) {
        line(".PP");
        line(escaped(text));
    }

    private void line(String text) {
        page.append(text).append('\n');
    }

    private static String text(String[] rows) {
        return List.of(rows).stream().map(ManPage::format).map(ManPage::plain).collect(Collectors.joining(" "));
    }

    /** Picocli's texts are formats: a line's end is %n, and a percent sign is doubled. */
    private static String format(String row) {
        return row.replace("%n", "\n").replace("%%", "%");
    }

    private static String plain(String markup) {
        return Ansi.OFF.string(markup);
    }

    /** A backslash and a hyphen mean something to troff, and so does a dot that begins a line. */
    private static String escaped(String text) {
        return text.replace("\\", "\\e")
                .replace("-", "\\-")
                .lines()
                .map(row -> row.startsWith(".") || row.startsWith("'") ? "\\&" + row : row)
                .collect(Collectors.joining("\n"));
    }

    /** Returns the specs of a command and of all below it. */
    static List<CommandSpec> all(CommandLine root) {
        return java.util.stream.Stream.concat(
                        java.util.stream.Stream.of(root.getCommandSpec()),
                        root.getSubcommands().values().stream().flatMap(below -> all(below).stream()))
                .toList();
    }
}
