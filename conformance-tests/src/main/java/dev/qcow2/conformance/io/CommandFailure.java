package dev.qcow2.conformance.io;

/** A command of the inner language did not do what it should; what the user has to know is the message, or was said before. */
final class CommandFailure extends Exception {

    private static final long serialVersionUID = 1L;

    /** Where the user reads the message; scripts look in one of the two. */
    enum Place {
        /** Among the results. */
        RESULTS,
        /** Among the messages. */
        MESSAGES,
        /** Nothing is left to say. */
        NOWHERE
    }

    private final Place place;

    private CommandFailure(String message, Place place) {
        super(message);
        this.place = place;
    }

    /** Something that is said among the results. */
    static CommandFailure result(String message) {
        return new CommandFailure(message, Place.RESULTS);
    }

    /** Something that is said among the messages. */
    static CommandFailure message(String message) {
        return new CommandFailure(message, Place.MESSAGES);
    }

    /** Something that is said among the messages, behind the program's name. */
    static CommandFailure named(String message) {
        return message(IoOutput.PROGRAM + ": " + message);
    }

    /** Something that was said already. */
    static CommandFailure silent() {
        return new CommandFailure("", Place.NOWHERE);
    }

    /** The command was written wrongly: its synopsis is said. */
    static CommandFailure usage(Verb verb) {
        return result(verb.synopsis(verb.word()));
    }

    /** Tells the user. */
    void tell(IoOutput output) {
        switch (place) {
            case RESULTS -> output.result(String.valueOf(getMessage()));
            case MESSAGES -> output.message(String.valueOf(getMessage()));
            case NOWHERE -> {
                // It was said.
            }
        }
    }
}
