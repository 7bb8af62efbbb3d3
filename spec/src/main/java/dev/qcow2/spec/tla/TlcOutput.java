package dev.qcow2.spec.tla;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What TLC printed in its tool mode: numbered messages, and between them the lines of the parser,
 * which carry no number.
 */
final class TlcOutput {

    private static final int INVARIANT_BROKEN_AT_START = 2107;
    private static final int INVARIANT_BROKEN = 2110;
    private static final int ACTION_PROPERTY_BROKEN = 2112;
    private static final int DEADLOCK = 2114;
    private static final int LIVENESS_BROKEN = 2116;
    private static final int SEARCH_DEPTH = 2194;
    private static final int STATISTICS = 2199;
    private static final int STATE = 2217;

    private static final Pattern START = Pattern.compile("@!@!@STARTMSG (\\d+):(\\d+) @!@!@");
    private static final Pattern END = Pattern.compile("@!@!@ENDMSG \\d+ @!@!@");
    private static final Pattern COUNTS = Pattern.compile("(\\d+) states generated, (\\d+) distinct states found");
    private static final Pattern PROGRESS = Pattern.compile("^Progress\\(.* ([\\d,]+) distinct states found");
    private static final Pattern DEPTH = Pattern.compile("state graph search is (\\d+)");
    private static final Pattern PROPERTY =
            Pattern.compile("^(?:Invariant|Action property|Property) (.+?) is violated");
    private static final Pattern STATE_HEAD = Pattern.compile("^(\\d+): <(.*)>$");
    private static final Pattern ACTION = Pattern.compile("^(\\w+)(?: line .*|\\(.*|)$");

    private static final Pattern TAKEN = Pattern.compile("^<(\\w+) line .* of module \\w+.*>: \\d+:(\\d+)$");

    private record Message(int code, int severity, String text) {}

    private final List<Message> messages = new ArrayList<>();
    private final List<String> parserLines = new ArrayList<>();

    /** Sorts the lines of a run. */
    TlcOutput(List<String> lines) {
        List<String> open = new ArrayList<>();
        Matcher start = START.matcher("");
        boolean inside = false;
        for (String line : lines) {
            if (!inside && start.reset(line).matches()) {
                inside = true;
                open.clear();
            } else if (inside && END.matcher(line).matches()) {
                inside = false;
                messages.add(new Message(
                        Integer.parseInt(start.group(1)), Integer.parseInt(start.group(2)), String.join("\n", open)));
            } else if (inside) {
                open.add(line);
            } else {
                parserLines.add(line);
            }
        }
    }

    /** How many distinct states the unfinished output of a run speaks of last. */
    static OptionalLong statesSoFar(Path log) throws IOException {
        OptionalLong found = OptionalLong.empty();
        try (BufferedReader in = Files.newBufferedReader(log, StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Matcher progress = PROGRESS.matcher(line);
                if (progress.find()) {
                    found = OptionalLong.of(Long.parseLong(progress.group(1).replace(",", "")));
                }
            }
        }
        return found;
    }

    /** The lines of the parser. */
    List<String> parserLines() {
        return parserLines;
    }

    /** The texts of all messages that TLC calls errors. */
    List<String> errors() {
        return messages.stream()
                .filter(message -> message.severity() == 1)
                .map(Message::text)
                .toList();
    }

    long generatedStates() {
        return count(1);
    }

    long distinctStates() {
        return count(2);
    }

    int depth() {
        Matcher matcher = DEPTH.matcher(lastText(SEARCH_DEPTH));
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    /** The name of the property that was broken; empty if none was. */
    String brokenProperty() {
        for (Message message : messages) {
            switch (message.code()) {
                case INVARIANT_BROKEN, INVARIANT_BROKEN_AT_START, ACTION_PROPERTY_BROKEN -> {
                    Matcher matcher = PROPERTY.matcher(message.text());
                    return matcher.find() ? matcher.group(1) : message.text();
                }
                case DEADLOCK -> {
                    return "deadlock";
                }
                case LIVENESS_BROKEN -> {
                    return "temporal property";
                }
                default -> {
                    continue;
                }
            }
        }
        return "";
    }

    /** The states of the counterexample. */
    List<Counterexample.Step> steps() {
        List<Counterexample.Step> steps = new ArrayList<>();
        for (Message message : messages) {
            if (message.code() == STATE) {
                steps.add(step(message.text()));
            } else if (message.code() == INVARIANT_BROKEN_AT_START) {
                String state = message.text().substring(message.text().indexOf('\n') + 1);
                steps.add(new Counterexample.Step(1, "begin", TlaParser.state(state)));
            }
        }
        return steps;
    }

    private static Counterexample.Step step(String text) {
        int firstLine = text.indexOf('\n');
        Matcher head = STATE_HEAD.matcher(text.substring(0, firstLine));
        if (!head.matches()) {
            throw new IllegalArgumentException("TLC printed a state without a number: " + text);
        }
        Matcher action = ACTION.matcher(head.group(2));
        boolean initial = head.group(2).startsWith("Initial");
        return new Counterexample.Step(
                Integer.parseInt(head.group(1)),
                initial ? "begin" : action.matches() ? action.group(1) : head.group(2),
                TlaParser.state(text.substring(firstLine + 1)));
    }

    /** How often each action was taken, if TLC was told to count that. */
    Map<String, Long> taken() {
        Map<String, Long> taken = new TreeMap<>();
        Matcher matcher = TAKEN.matcher("");
        for (Message message : messages) {
            if (matcher.reset(message.text()).matches()) {
                // It says so once a minute, and at the end.
                taken.merge(matcher.group(1), Long.parseLong(matcher.group(2)), Math::max);
            }
        }
        return taken;
    }

    private long count(int group) {
        Matcher matcher = COUNTS.matcher(lastText(STATISTICS));
        return matcher.find() ? Long.parseLong(matcher.group(group)) : 0;
    }

    private String lastText(int code) {
        String text = "";
        for (Message message : messages) {
            text = message.code() == code ? message.text() : text;
        }
        return text;
    }
}
