package dev.qcow2.spec.tla;

/**
 * What the model checker says of a trace.
 *
 * @param trace name of the trace
 * @param accepted whether it is a behaviour of the model
 * @param model the model that refuses it; empty if none does
 * @param refusedAt index of the event that is no step, counted from 0; the number of events if it is accepted
 * @param checked how many events were looked at
 */
public record TraceVerdict(String trace, boolean accepted, String model, int refusedAt, int checked) {}
