package dev.qcow2.conformance.command;

/** What the exit codes of the command mean. */
final class ExitCode {

    /** All is the same. */
    static final int SAME = 0;
    /** There is a difference. */
    static final int DIFFERENT = 1;
    /** The command was used wrongly, or something that it needs is missing. */
    static final int TROUBLE = 2;

    private ExitCode() {}
}
