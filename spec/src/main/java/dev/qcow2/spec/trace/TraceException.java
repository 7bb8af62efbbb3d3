package dev.qcow2.spec.trace;

/** A text that is no trace. */
public final class TraceException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String file;
    private final int line;

    /**
     * Makes a failure.
     *
     * @param file the file in which it lies
     * @param line the line in that file, counted from 1
     * @param problem what is wrong
     */
    public TraceException(String file, int line, String problem) {
        super(file + " line " + line + ": " + problem);
        this.file = file;
        this.line = line;
    }

    /**
     * Returns the file in which the failure lies.
     *
     * @return a file name
     */
    public String file() {
        return file;
    }

    /**
     * Returns the line in which the failure lies.
     *
     * @return counted from 1
     */
    public int line() {
        return line;
    }
}
