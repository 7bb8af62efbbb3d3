/**
 * The formal model becomes tests: the graph of its states is walked on real images.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.formal.ModelImage}: which image stands for a bound of the model, and which bytes
 *       for its blocks
 *   <li>{@link dev.qcow2.conformance.formal.ModelRequest}: which request stands for a transition
 *   <li>{@link dev.qcow2.conformance.formal.Observation}: what a state of the model and an image have in common
 *   <li>ModelObserver, ImageObserver: how it is seen in the one and in the other
 *   <li>{@link dev.qcow2.conformance.formal.ReplayGraph}: the states, told apart by what can be seen of them
 *   <li>{@link dev.qcow2.conformance.formal.GraphReplay}: every transition on an image of its own
 *   <li>{@link dev.qcow2.conformance.formal.Tours}: every transition on few images that stay open; {@link
 *       dev.qcow2.conformance.formal.TourReplay} walks them, {@link dev.qcow2.conformance.formal.ModelVectors} writes
 *       them down as scripts
 *   <li>{@link dev.qcow2.conformance.formal.ModelJudge}: the question whether an implementation is wrong
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.formal;

import org.jspecify.annotations.NullMarked;
