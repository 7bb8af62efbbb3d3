/**
 * Runs the formal model: the TLA+ modules of {@code src/main/tla} and the model checker TLC.
 *
 * <p>Read in this order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.spec.tla.ModelTable}: which models, bounds and seeded faults there are
 *   <li>{@link dev.qcow2.spec.tla.ModelRun}: one run of TLC, and {@link dev.qcow2.spec.tla.ModelOutcome},
 *       what came out
 *   <li>{@link dev.qcow2.spec.tla.ModelConfiguration}: the bound of a model and its properties
 *   <li>{@link dev.qcow2.spec.tla.Counterexample}: how a property was broken, in readable steps, and
 *       {@link dev.qcow2.spec.tla.CounterexampleFile}, one that somebody saved
 *   <li>{@link dev.qcow2.spec.tla.TlaValue} and {@link dev.qcow2.spec.tla.TlaParser}: the values that TLC prints
 *   <li>{@link dev.qcow2.spec.tla.GraphDump} and {@link dev.qcow2.spec.tla.StateGraph}: all states and
 *       transitions of a model, from which tests of the implementations are made
 * </ol>
 */
@NullMarked
package dev.qcow2.spec.tla;

import org.jspecify.annotations.NullMarked;
