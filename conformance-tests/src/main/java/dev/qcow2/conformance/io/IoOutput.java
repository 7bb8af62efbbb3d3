package dev.qcow2.conformance.io;

import java.io.PrintWriter;

/**
 * Where the user reads: results and messages. Results wait in a buffer, as those of a C program do whose output is no terminal: so a script
 * that merges both streams sees them in the same order as with qemu-io.
 */
final class IoOutput {

    /** The name in front of messages. */
    static final String PROGRAM = "qcow2 io";

    /** The buffer of a C program that writes to a pipe or file. */
    private static final int BUFFER = 4096;

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;
    private final StringBuilder waiting = new StringBuilder();

    /** On a terminal nothing waits. */
    IoOutput(PrintWriter out, PrintWriter err, boolean terminal) {
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /** Adds a line to the results. */
    synchronized void result(String line) {
        print(line + "\n");
    }

    /** Adds text to the results. */
    synchronized void print(String text) {
        waiting.append(text);
        int whole = waiting.length() / BUFFER * BUFFER;
        if (terminal) {
            flush();
        } else if (whole > 0) {
            out.print(waiting.substring(0, whole));
            out.flush();
            waiting.delete(0, whole);
        }
    }

    /** Lets no result wait. */
    synchronized void flush() {
        out.print(waiting);
        out.flush();
        waiting.setLength(0);
    }

    /** Prints a line of messages at once. */
    synchronized void message(String line) {
        err.print(line + "\n");
        err.flush();
    }

    /** Prints a message behind the program's name. */
    void warning(String text) {
        message(PROGRAM + ": warning: " + text);
    }
}
