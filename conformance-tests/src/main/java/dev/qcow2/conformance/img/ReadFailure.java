package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OutOfBoundsException;

/** Says why bytes could not be read or written, in the words of the C library. What is broken in an image is told once. */
final class ReadFailure {

    private static final String INPUT_OUTPUT = "Input/output error";

    private final ImgConsole console;
    private boolean told;

    ReadFailure(ImgConsole console) {
        this.console = console;
    }

    /** Names the reason; what is broken in an image goes on a line of its own. */
    synchronized String words(DiskException failure) {
        if (failure instanceof CorruptImageException) {
            if (!told) {
                told = true;
                console.plainError("qcow2: Image is corrupt: " + failure.getMessage()
                        + "; further non-fatal corruption events will be suppressed");
            }
            return INPUT_OUTPUT;
        }
        return failure instanceof OutOfBoundsException ? INPUT_OUTPUT : Failures.words(failure);
    }
}
