package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FileInUseException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.NoSpaceException;
import java.io.IOException;

/** Says what went wrong in words that a user of QEMU's tools recognises. */
public final class Failures {

    private Failures() {}

    /**
     * Names the reason of a refusal.
     *
     * @param failure what an implementation or the host said
     * @return the essential words, without the image's name where it can be left out
     */
    public static String words(DiskException failure) {
        if (failure instanceof NoSpaceException) {
            return "No space left on device";
        }
        if (failure instanceof FileInUseException inUse) {
            return inUse.reason() + "\nIs another process using the image [" + inUse.fileName() + "]?";
        }
        if (failure instanceof HostIoException host) {
            return host.getCause() instanceof IOException cause ? HostWords.of(cause) : hostWords(host);
        }
        return String.valueOf(failure.getMessage());
    }

    private static String hostWords(HostIoException failure) {
        String message = String.valueOf(failure.getMessage());
        return message.contains("no such file") ? "No such file or directory" : message;
    }

    /**
     * Says that an image could not be opened.
     *
     * @param name as the user gave it
     * @param failure why
     * @return the whole message
     */
    public static String open(String name, DiskException failure) {
        return "Could not open '" + name + "': " + words(failure);
    }
}
