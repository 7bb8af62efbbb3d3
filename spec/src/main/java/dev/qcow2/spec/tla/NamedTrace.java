package dev.qcow2.spec.tla;

import dev.qcow2.spec.trace.TraceEvent;
import java.util.List;

/**
 * A trace with a name for messages.
 *
 * @param name such as the name of its file
 * @param events all of it
 */
public record NamedTrace(String name, List<TraceEvent> events) {

    /** Copies the list. */
    public NamedTrace {
        events = List.copyOf(events);
    }
}
