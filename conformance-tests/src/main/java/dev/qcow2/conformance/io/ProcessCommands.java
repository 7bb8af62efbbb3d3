package dev.qcow2.conformance.io;

import java.util.OptionalLong;

/** The commands that concern the program itself. */
final class ProcessCommands {

    /** One more than the highest signal of Linux. */
    private static final int SIGNALS = 65;

    private static final long NANOSECONDS = 1_000_000;

    private final Session session;
    private final IoOutput output;

    ProcessCommands(Session session) {
        this.session = session;
        this.output = session.output();
    }

    /** {@code sleep}. */
    void sleep(Words words) throws CommandFailure {
        String text = words.arguments().get(0);
        OptionalLong milliseconds = Numbers.integer(text);
        if (milliseconds.isEmpty() || milliseconds.getAsLong() < 0) {
            throw CommandFailure.result(text + " is not a valid number");
        }
        // A time that does not fit in the clock's numbers has always been over.
        if (milliseconds.getAsLong() > Long.MAX_VALUE / NANOSECONDS) {
            return;
        }
        session.background().setIdle(true);
        try {
            Thread.sleep(milliseconds.getAsLong());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            session.background().setIdle(false);
        }
    }

    /** {@code sigraise}. */
    void raise(Words words) throws CommandFailure {
        String text = words.arguments().get(0);
        long number = Numbers.bytes(text, output);
        if (number > SIGNALS) {
            throw CommandFailure.result("signal argument '" + text + "' is too large to be a valid signal");
        }
        // What the user has been told must not be lost with the process.
        output.flush();
        session.signals().raise((int) number);
    }

    /** {@code abort}: results that still wait are lost, as in a crash. */
    void abort() {
        session.signals().raise(Signals.ABORT);
    }

    /** {@code help}. */
    void help(Words words) throws CommandFailure {
        if (words.arguments().isEmpty()) {
            for (Verb verb : Verb.values()) {
                output.result(verb.synopsis(verb.word()));
            }
            output.result("\nUse 'help commandname' for extended help.");
            return;
        }
        String typed = words.arguments().get(0);
        Verb verb = Verb.named(typed).orElseThrow(() -> CommandFailure.result("command " + typed + " not found"));
        output.print(verb.help(typed));
    }

    /** The commands of blkdebug's breakpoints, which are not supported; qemu-io says the same where there is no blkdebug. */
    void breakpoint(Words words) throws CommandFailure {
        String tag = words.arguments().get(words.arguments().size() - 1);
        String what =
                switch (words.verb()) {
                    case BREAK -> "set breakpoint";
                    case RESUME -> "resume request";
                    case REMOVE_BREAK -> "remove breakpoint " + tag;
                    default -> "wait for breakpoint " + tag;
                };
        throw CommandFailure.result("Could not " + what + ": " + RequestErrors.UNSUPPORTED);
    }
}
