package dev.qcow2.spec.tla;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the counterexample in an output of TLC that somebody saved, in its tool mode or not. */
public final class CounterexampleFile {

    private static final Pattern PROPERTY =
            Pattern.compile("^Error: (?:Invariant|Action property|Property) (.+?) is violated.*");
    private static final Pattern HEAD = Pattern.compile("^(?:State )?(\\d+): <(.*)>$");
    private static final Pattern ACTION = Pattern.compile("^(\\w+)(?: line .*|\\(.*|)$");

    private CounterexampleFile() {}

    /**
     * Reads a file.
     *
     * @param file what TLC printed
     * @return the counterexample
     * @throws ModelException if there is none, or a state in it cannot be read
     * @throws IOException if the file cannot be read
     */
    public static Counterexample read(Path file) throws ModelException, IOException {
        return parse(file.toString(), Files.readAllLines(file, StandardCharsets.UTF_8));
    }

    static Counterexample parse(String name, List<String> lines) throws ModelException {
        String property = "";
        List<Counterexample.Step> steps = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher broken = PROPERTY.matcher(line.startsWith("Error: ") ? line : "Error: " + line);
            Matcher head = HEAD.matcher(line);
            if (property.isEmpty() && broken.matches()) {
                property = broken.group(1);
            } else if (property.isEmpty() && line.contains("Deadlock reached")) {
                property = "deadlock";
            } else if (head.matches()) {
                steps.add(step(name, lines, i, head));
            }
        }
        if (property.isEmpty() || steps.isEmpty()) {
            throw new ModelException(
                    name, 0, "holds no counterexample: expected what TLC prints, with \"Invariant ... is violated\"");
        }
        return new Counterexample(property, steps);
    }

    private static Counterexample.Step step(String name, List<String> lines, int at, Matcher head)
            throws ModelException {
        int end = at + 1;
        while (end < lines.size()
                && !lines.get(end).isBlank()
                && !lines.get(end).startsWith("@!@!@")
                && !HEAD.matcher(lines.get(end)).matches()) {
            end++;
        }
        Matcher action = ACTION.matcher(head.group(2));
        boolean initial = head.group(2).startsWith("Initial");
        try {
            return new Counterexample.Step(
                    Integer.parseInt(head.group(1)),
                    initial ? "begin" : action.matches() ? action.group(1) : head.group(2),
                    TlaParser.state(String.join("\n", lines.subList(at + 1, end))));
        } catch (IllegalArgumentException e) {
            throw new ModelException(name, at + 1, "this state cannot be read: " + e.getMessage());
        }
    }
}
