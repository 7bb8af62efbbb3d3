package dev.qcow2.spec.trace;

import dev.qcow2.spec.host.HostDirectory;
import org.jspecify.annotations.Nullable;

/** Says who hears the events of an image that is being opened. One driver may have many images open at a time. */
@FunctionalInterface
public interface EventSource {

    /** Nobody wants to hear anything. */
    EventSource SILENT = (directory, fileName) -> null;

    /**
     * Chooses a sink.
     *
     * @param directory where the image is
     * @param fileName its name
     * @return who hears the events of this image, or null if nobody does
     */
    @Nullable
    EventSink sinkFor(HostDirectory directory, String fileName);
}
