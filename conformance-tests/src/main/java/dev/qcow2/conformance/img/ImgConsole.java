package dev.qcow2.conformance.img;

import java.io.PrintWriter;

/** What the user reads: results on one stream, messages with the program's name on the other. */
final class ImgConsole {

    /** The name in front of messages. */
    static final String PROGRAM = "qcow2 img";

    private final PrintWriter out;
    private final PrintWriter err;

    ImgConsole(PrintWriter out, PrintWriter err) {
        this.out = out;
        this.err = err;
    }

    /** Where results go. */
    PrintWriter out() {
        return out;
    }

    /** Prints a line of the result; a line ends the same on every host. */
    void line(String text) {
        out.print(text);
        out.print('\n');
        out.flush();
    }

    /** Prints a message; the lines behind its first are hints and go without the program's name. */
    void error(String message) {
        plainError(PROGRAM + ": " + message);
    }

    /** Prints text without the program's name to the stream of messages. */
    void plainError(String text) {
        err.print(text + "\n");
        err.flush();
    }

    /** Prints a hint that does not end its line. */
    void unfinished(String text) {
        err.print(text);
        err.flush();
    }

    /** Prints a message about something that is done all the same. */
    void warning(String message) {
        error("warning: " + message);
    }
}
