package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.ToolException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Values of options that are sizes. */
final class SizeArgument {

    private SizeArgument() {}

    /**
     * Reads a size.
     *
     * @param what the option's name in the message
     * @param text as the user typed it; null if the option is not there
     * @param otherwise what holds then
     */
    static long of(String what, @Nullable String text, long otherwise) throws ToolException {
        if (text == null) {
            return otherwise;
        }
        OptionalLong size = ByteSize.parse(text);
        if (size.isPresent()) {
            return size.getAsLong();
        }
        throw invalid(what);
    }

    /** Says that a value is no size; both lines bear the program's name. */
    static ToolException invalid(String what) {
        return new ToolException("Invalid " + what + " specified. You may use k, M, G, T, P or E suffixes for\n"
                + ImgConsole.PROGRAM + ": kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
    }
}
