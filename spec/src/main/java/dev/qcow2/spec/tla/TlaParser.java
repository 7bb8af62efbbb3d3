package dev.qcow2.spec.tla;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Reads the values and the states that TLC prints. */
public final class TlaParser {

    private static final String CONJUNCTION = "/\\";

    private final String text;
    private int position;

    private TlaParser(String text) {
        this.text = text;
    }

    /**
     * Reads one value.
     *
     * @param text the whole of it
     * @return the value
     * @throws IllegalArgumentException if the text is no value, or there is more after it
     */
    public static TlaValue value(String text) {
        TlaParser parser = new TlaParser(text);
        TlaValue value = parser.value();
        parser.end();
        return value;
    }

    /**
     * Reads a state: a conjunction of variables and their values.
     *
     * @param text the whole of it
     * @return values by variable, in the order of the names
     * @throws IllegalArgumentException if the text is no state
     */
    public static Map<String, TlaValue> state(String text) {
        TlaParser parser = new TlaParser(text);
        Map<String, TlaValue> state = new TreeMap<>();
        while (parser.take(CONJUNCTION) || (state.isEmpty() && parser.more())) {
            String name = parser.name();
            parser.expect("=");
            state.put(name, parser.value());
        }
        parser.end();
        return Collections.unmodifiableMap(state);
    }

    private TlaValue value() {
        if (take("<<")) {
            return new TlaValue.Sequence(List.copyOf(members(">>")));
        }
        if (take("{")) {
            return new TlaValue.Group(Set.copyOf(new LinkedHashSet<>(members("}"))));
        }
        if (take("[")) {
            return fields();
        }
        if (take("(")) {
            return function();
        }
        if (take("\"")) {
            int close = text.indexOf('"', position);
            if (close < 0) {
                throw wrong("a closing quotation mark");
            }
            String content = text.substring(position, close);
            position = close + 1;
            return new TlaValue.Text(content);
        }
        return word(name());
    }

    private TlaValue word(String word) {
        if (word.equals("TRUE") || word.equals("FALSE")) {
            return new TlaValue.Truth(word.equals("TRUE"));
        }
        char first = word.charAt(0);
        if (!Character.isDigit(first) && first != '-') {
            return new TlaValue.Atom(word);
        }
        long low = Long.parseLong(word);
        if (!take("..")) {
            return new TlaValue.Numeral(low);
        }
        Set<TlaValue> range = new LinkedHashSet<>();
        for (long value = low, high = Long.parseLong(name()); value <= high; value++) {
            range.add(new TlaValue.Numeral(value));
        }
        return new TlaValue.Group(Set.copyOf(range));
    }

    private List<TlaValue> members(String close) {
        List<TlaValue> members = new ArrayList<>();
        while (!take(close)) {
            if (!members.isEmpty()) {
                expect(",");
            }
            members.add(value());
        }
        return members;
    }

    private TlaValue fields() {
        Map<String, TlaValue> fields = new LinkedHashMap<>();
        while (!take("]")) {
            if (!fields.isEmpty()) {
                expect(",");
            }
            String name = name();
            expect("|->");
            fields.put(name, value());
        }
        return new TlaValue.Fields(Collections.unmodifiableMap(fields));
    }

    private TlaValue function() {
        Map<TlaValue, TlaValue> values = new LinkedHashMap<>();
        while (!take(")")) {
            if (!values.isEmpty()) {
                expect("@@");
            }
            TlaValue argument = value();
            expect(":>");
            values.put(argument, value());
        }
        return new TlaValue.Function(Collections.unmodifiableMap(values));
    }

    private String name() {
        skip();
        int start = position;
        while (position < text.length() && isWordCharacter(text.charAt(position))) {
            position++;
        }
        if (start == position) {
            throw wrong("a name or a value");
        }
        return text.substring(start, position);
    }

    private static boolean isWordCharacter(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '-' || c == '!';
    }

    private boolean take(String token) {
        skip();
        if (!text.startsWith(token, position)) {
            return false;
        }
        position += token.length();
        return true;
    }

    private void expect(String token) {
        if (!take(token)) {
            throw wrong(token);
        }
    }

    private void skip() {
        while (position < text.length() && Character.isWhitespace(text.charAt(position))) {
            position++;
        }
    }

    private boolean more() {
        skip();
        return position < text.length();
    }

    private void end() {
        if (more()) {
            throw wrong("the end");
        }
    }

    private IllegalArgumentException wrong(String expected) {
        int end = Math.min(text.length(), position + 20);
        return new IllegalArgumentException(
                "expected " + expected + " at position " + position + ", found " + text.substring(position, end));
    }
}
