package dev.qcow2.spec.trace;

/** Hears what is done to one image, in the order in which it is done. */
@FunctionalInterface
public interface EventSink {

    /**
     * Hears of an event.
     *
     * @param event what was done
     */
    void event(TraceEvent event);
}
