package dev.qcow2.conformance.tool;

import org.jspecify.annotations.Nullable;

/** A command can't do what it was asked; the message is what the user reads after the program's name. */
public final class ToolException extends Exception {

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    /**
     * Makes a refusal that ends the program with exit code 1.
     *
     * @param message what the user reads
     */
    public ToolException(String message) {
        this(message, 1);
    }

    /**
     * Makes a refusal.
     *
     * @param message what the user reads
     * @param exitCode what the program ends with
     */
    public ToolException(String message, int exitCode) {
        this(message, exitCode, null);
    }

    /**
     * Makes a refusal that has a cause.
     *
     * @param message what the user reads
     * @param exitCode what the program ends with
     * @param cause what went wrong below
     */
    public ToolException(String message, int exitCode, @Nullable Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /**
     * Returns the exit code.
     *
     * @return 1 unless the command knows better
     */
    public int exitCode() {
        return exitCode;
    }
}
