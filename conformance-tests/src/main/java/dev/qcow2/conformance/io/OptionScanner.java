package dev.qcow2.conformance.io;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads words one option at a time, as C's {@code getopt} does: letters in clusters, values attached or in the next word, options behind
 * operands, {@code --} as the end of options. The caller learns of a wrong option only when it gets there, and so sees everything in front
 * of it first.
 */
final class OptionScanner {

    /** No option is left. */
    static final int END = -1;

    /** The option is wrong, and the user was told. */
    static final int WRONG = '?';

    private final String program;
    private final String letters;
    private final TreeMap<String, Character> longNames;
    private final List<String> words;
    private final IoOutput output;
    private final List<String> operands = new ArrayList<>();
    private String cluster = "";
    private String value = "";
    private int next;

    /**
     * Starts in front of the first word.
     *
     * @param program the name in front of messages
     * @param letters those that are options; a colon follows where an option has a value
     * @param longNames letters by long name; empty if there are no long names
     * @param words what is read
     * @param output for messages
     */
    OptionScanner(
            String program, String letters, Map<String, Character> longNames, List<String> words, IoOutput output) {
        this.program = program;
        this.letters = letters;
        this.longNames = new TreeMap<>(longNames);
        this.words = words;
        this.output = output;
    }

    /** Returns the next option's letter, {@link #WRONG} or {@link #END}. */
    int next() {
        while (cluster.isEmpty()) {
            if (next >= words.size()) {
                return END;
            }
            String word = words.get(next++);
            if (word.equals("--")) {
                operands.addAll(words.subList(next, words.size()));
                next = words.size();
            } else if (word.startsWith("--") && !longNames.isEmpty()) {
                return longOption(word.substring(2));
            } else if (word.length() > 1 && word.startsWith("-")) {
                cluster = word.substring(1);
            } else {
                operands.add(word);
            }
        }
        return letter();
    }

    private int letter() {
        char letter = cluster.charAt(0);
        cluster = cluster.substring(1);
        int at = letter == ':' ? -1 : letters.indexOf(letter);
        if (at < 0) {
            return wrong("invalid option -- '" + letter + "'");
        }
        if (!letters.startsWith(":", at + 1)) {
            return letter;
        }
        if (cluster.isEmpty() && next >= words.size()) {
            return wrong("option requires an argument -- '" + letter + "'");
        }
        value = cluster.isEmpty() ? words.get(next++) : cluster;
        cluster = "";
        return letter;
    }

    private int longOption(String typed) {
        int equals = typed.indexOf('=');
        String name = equals < 0 ? typed : typed.substring(0, equals);
        List<String> candidates = longNames.containsKey(name)
                ? List.of(name)
                : longNames.keySet().stream()
                        .filter(known -> known.startsWith(name))
                        .toList();
        if (candidates.isEmpty()) {
            return wrong("unrecognized option '--" + typed + "'");
        }
        if (candidates.size() > 1) {
            return wrong("option '--" + name + "' is ambiguous; possibilities: '--" + String.join("' '--", candidates)
                    + "'");
        }
        String full = candidates.get(0);
        char letter = longNames.getOrDefault(full, '?');
        boolean takesValue = letters.contains(letter + ":");
        if (!takesValue) {
            return equals < 0 ? letter : wrong("option '--" + full + "' doesn't allow an argument");
        }
        if (equals < 0 && next >= words.size()) {
            return wrong("option '--" + full + "' requires an argument");
        }
        value = equals < 0 ? words.get(next++) : typed.substring(equals + 1);
        return letter;
    }

    private int wrong(String message) {
        output.message(program + ": " + message);
        return WRONG;
    }

    /** Returns the value of the option that was returned last. */
    String value() {
        return value;
    }

    /** Returns the words that are no options, once {@link #next} has returned {@link #END}. */
    List<String> operands() {
        return operands;
    }
}
