/**
 * Seed-driven generators: the same seed draws the same scripts, on any machine.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.generate.ScriptGenerator}: whole scripts
 *   <li>{@code ChainGenerator}: geometries and initial states
 *   <li>{@code OperationGenerator}: what is done, near boundaries, again and again on few clusters
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.generate;

import org.jspecify.annotations.NullMarked;
