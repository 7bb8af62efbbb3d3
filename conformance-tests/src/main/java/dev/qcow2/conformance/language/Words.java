package dev.qcow2.conformance.language;

import java.util.Arrays;
import java.util.List;

/** The words of one line, read from left to right. */
public final class Words {

    private final int line;
    private final List<String> words;
    private int next;

    /**
     * Splits a line at its blanks.
     *
     * @param line its number, from 1
     * @param text the line
     */
    public Words(int line, String text) {
        this.line = line;
        this.words = Arrays.stream(text.strip().split("\\s+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    boolean hasNext() {
        return next < words.size();
    }

    String next(String expected) throws ScriptException {
        if (!hasNext()) {
            throw error(expected, "the end of the line");
        }
        return words.get(next++);
    }

    /** Takes the next word if it is the one that is asked for. */
    boolean takes(String word) {
        boolean there = hasNext() && words.get(next).equals(word);
        if (there) {
            next++;
        }
        return there;
    }

    String rest(String expected) throws ScriptException {
        String first = next(expected);
        StringBuilder text = new StringBuilder(first);
        while (hasNext()) {
            text.append(' ').append(words.get(next++));
        }
        return text.toString();
    }

    long number(String expected) throws ScriptException {
        String word = next(expected);
        try {
            return Long.parseLong(word);
        } catch (NumberFormatException e) {
            throw error(expected, word);
        }
    }

    int integer(String expected) throws ScriptException {
        long number = number(expected);
        if (number < 0 || number > Integer.MAX_VALUE) {
            throw error(expected, Long.toString(number));
        }
        return (int) number;
    }

    /** Reads a power of two and returns its logarithm. */
    int logarithm(int least, int most) throws ScriptException {
        long number = number("a power of two");
        int bits = Long.numberOfTrailingZeros(number);
        if (Long.bitCount(number) != 1 || bits < least || bits > most) {
            throw error("a power of two from " + (1L << least) + " to " + (1L << most), Long.toString(number));
        }
        return bits;
    }

    String choice(String... allowed) throws ScriptException {
        String expected = String.join(" or ", allowed);
        String word = next(expected);
        if (!List.of(allowed).contains(word)) {
            throw error(expected, word);
        }
        return word;
    }

    void end() throws ScriptException {
        if (hasNext()) {
            throw error("the end of the line", words.get(next));
        }
    }

    ScriptException error(String expected, String found) {
        return new ScriptException(line, "expected " + expected + ", found " + found);
    }
}
