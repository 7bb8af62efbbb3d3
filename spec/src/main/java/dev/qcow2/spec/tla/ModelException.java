package dev.qcow2.spec.tla;

/**
 * A run of a model that gave no answer: a module that does not parse, a configuration that does not
 * fit it, a checker that ran out of memory or time.
 */
public final class ModelException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String file;
    private final int line;

    /**
     * Makes a failure.
     *
     * @param file the file in which it lies
     * @param line the line in that file, counted from 1, or 0 if no line is to blame
     * @param problem what is wrong
     */
    public ModelException(String file, int line, String problem) {
        super(file + (line > 0 ? " line " + line : "") + ": " + problem);
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
     * @return counted from 1, or 0 if no line is to blame
     */
    public int line() {
        return line;
    }
}
