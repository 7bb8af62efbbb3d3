package dev.qcow2.conformance.command;

/** How the user calls the program. */
final class Launcher {

    /** The launcher script says where it is. */
    static final String PROPERTY = "qcow2.launcher";

    /** True if the standard error is a terminal; Java can't tell that of one stream alone. */
    static final String TERMINAL = "qcow2.terminal";

    private Launcher() {}

    static String path() {
        return System.getProperty(PROPERTY, "conformance-tests/bin/qcow2");
    }
}
