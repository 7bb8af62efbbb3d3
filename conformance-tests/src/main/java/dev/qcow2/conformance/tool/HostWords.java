package dev.qcow2.conformance.tool;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What the C library calls an error of the host, since this is what people look for. */
public final class HostWords {

    private HostWords() {}

    /**
     * Names an error.
     *
     * @param failure what the host said
     * @return words such as {@code No such file or directory}
     */
    public static String of(IOException failure) {
        if (failure instanceof NoSuchFileException) {
            return "No such file or directory";
        }
        if (failure instanceof AccessDeniedException) {
            return "Permission denied";
        }
        if (failure instanceof FileSystemException system && system.getReason() != null) {
            return system.getReason();
        }
        return String.valueOf(failure.getMessage());
    }
}
