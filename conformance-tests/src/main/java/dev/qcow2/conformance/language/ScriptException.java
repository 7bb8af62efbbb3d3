package dev.qcow2.conformance.language;

/** A script that can't be read. */
public final class ScriptException extends Exception {

    private static final long serialVersionUID = 1L;

    private final int line;

    /**
     * Makes a refusal.
     *
     * @param line number of the line, from 1
     * @param message what was expected and what was found
     */
    public ScriptException(int line, String message) {
        super("line " + line + ": " + message);
        this.line = line;
    }

    /**
     * Returns where the script is wrong.
     *
     * @return number of the line, from 1
     */
    public int line() {
        return line;
    }
}
