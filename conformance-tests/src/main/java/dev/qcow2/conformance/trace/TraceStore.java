package dev.qcow2.conformance.trace;

import dev.qcow2.spec.trace.TraceEvent;
import java.io.IOException;
import java.util.List;

/** Keeps the traces that a campaign records. Several threads may bring some at the same time. */
@FunctionalInterface
public interface TraceStore {

    /**
     * Keeps the trace of one image of one sequence.
     *
     * @param subject the implementation that worked on it
     * @param events all of it
     * @throws IOException if it can't be kept
     */
    void keep(String subject, List<TraceEvent> events) throws IOException;
}
