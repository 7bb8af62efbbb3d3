/**
 * Seed-driven generators: the same seed draws the same scripts, on any machine.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.generate.ScriptGenerator}: whole scripts
 *   <li>{@link dev.qcow2.conformance.generate.Feature}, {@link dev.qcow2.conformance.generate.Abilities}: what a sequence uses
 *   <li>{@code ChainGenerator}, {@code FeatureLayers}: geometries, features and initial states
 *   <li>{@code OperationGenerator}, {@code FeatureOperations}: what is done, near boundaries, again and again on few clusters
 *   <li>{@code TourGenerator}: every state of a cluster over every kind of backing bytes
 *   <li>{@code CompleteTour}: the same, so that no transition is left out
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.generate;

import org.jspecify.annotations.NullMarked;
