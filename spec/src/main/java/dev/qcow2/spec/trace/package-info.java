/**
 * Traces: what an implementation did to an image, event by event, and the judgement on it.
 *
 * <p>A trace has two levels. The level of the guest says which request was made, which entries changed and which reference
 * counts went up and down. The level of the host says in which order the file was written, zeroed, punched and flushed. The
 * models {@code Mapping} and {@code PowerCut} say what is allowed on each.
 *
 * <p>Read in this order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.spec.trace.TraceEvent}: the vocabulary, with {@link dev.qcow2.spec.trace.Place} and {@link
 *       dev.qcow2.spec.trace.EntryState}
 *   <li>{@link dev.qcow2.spec.trace.EventSink}: where an implementation sends its events; {@link
 *       dev.qcow2.spec.trace.EventSource} chooses one for each image
 *   <li>{@link dev.qcow2.spec.trace.TraceText}: the same as text, an event a line
 *   <li>{@link dev.qcow2.spec.trace.ImageObserver}: makes the events of the guest's level for any implementation, from the
 *       bytes of the image before and after; {@link dev.qcow2.spec.trace.HostObserver}: those of the host's level, from the
 *       requests that reach the file
 *   <li>{@link dev.qcow2.spec.trace.TraceOracle}: the judgement, event by event, with {@link
 *       dev.qcow2.spec.trace.MappingOracle} and {@link dev.qcow2.spec.trace.PowerCutOracle}
 * </ol>
 *
 * <p>The model checker gives the same judgement: see {@code TraceChecker} in {@code dev.qcow2.spec.tla}.
 */
@NullMarked
package dev.qcow2.spec.trace;

import org.jspecify.annotations.NullMarked;
