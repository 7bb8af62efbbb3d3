package dev.qcow2.spec.tla;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds out why a run of TLC gave no answer, and in which file and line the reason lies. */
final class TlcFailure {

    private static final Pattern SYNTAX = Pattern.compile("at line (\\d+), col(?:umn)? (\\d+)");
    private static final Pattern PLACE = Pattern.compile("line (\\d+), col (\\d+).* of module (\\w+)");
    private static final Pattern PARSED = Pattern.compile("Parsing file .*[/\\\\](\\w+\\.tla)");
    private static final Pattern OUT_OF_MEMORY = Pattern.compile("OutOfMemoryError|ran out of memory|Java heap space");
    private static final Pattern WORD = Pattern.compile("\\w+");

    private TlcFailure() {}

    /**
     * Makes the failure of a run.
     *
     * @param output what was printed
     * @param module the module that was run
     * @param configuration name of the configuration file
     * @param configurationText its text, in which the line to blame is looked for
     * @param exitCode what the process returned
     */
    static ModelException of(
            TlcOutput output, String module, String configuration, String configurationText, int exitCode) {
        String everything = String.join("\n", output.parserLines()) + "\n" + String.join("\n", output.errors());
        if (OUT_OF_MEMORY.matcher(everything).find()) {
            return new ModelException(configuration, 0, "TLC ran out of memory");
        }
        Matcher place = PLACE.matcher(everything);
        if (place.find()) {
            return new ModelException(
                    place.group(3) + ".tla", Integer.parseInt(place.group(1)), reasonAfter(everything, place.end()));
        }
        Matcher syntax = SYNTAX.matcher(everything);
        if (syntax.find()) {
            return new ModelException(
                    lastParsed(output.parserLines(), module),
                    Integer.parseInt(syntax.group(1)),
                    "does not parse at column " + syntax.group(2));
        }
        String reason = output.errors().isEmpty()
                ? "TLC stopped with exit code " + exitCode + ": " + everything.strip()
                : output.errors().get(0);
        return new ModelException(configuration, lineOf(reason, configurationText), reason);
    }

    private static String reasonAfter(String text, int from) {
        String rest = text.substring(from).strip();
        int paragraph = rest.indexOf("\n\n");
        return paragraph > 0 ? rest.substring(0, paragraph).strip() : rest;
    }

    private static String lastParsed(List<String> lines, String module) {
        String file = module + ".tla";
        for (String line : lines) {
            Matcher parsed = PARSED.matcher(line);
            file = parsed.matches() ? parsed.group(1) : file;
        }
        return file;
    }

    /** The line of the configuration that has a name of which the reason speaks; 0 if there is none. */
    private static int lineOf(String reason, String configurationText) {
        List<String> lines = configurationText.lines().toList();
        Matcher word = WORD.matcher(reason);
        while (word.find()) {
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).strip().equals(word.group())
                        || lines.get(i).strip().startsWith(word.group() + " =")) {
                    return i + 1;
                }
            }
        }
        return 0;
    }
}
