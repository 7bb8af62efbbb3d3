/**
 * Wrong implementations: the kit is itself tested with them.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.mutant.Fault}, {@link dev.qcow2.conformance.mutant.FeatureFault}: in which ways they
 *       are wrong
 *   <li>{@link dev.qcow2.conformance.mutant.MutantDriver}: a small implementation with a switch for each fault
 *   <li>{@link dev.qcow2.conformance.mutant.PowerCuts}: what is left when the power goes
 *   <li>{@link dev.qcow2.conformance.mutant.StructureFault}: right implementations above a host that leaves something out,
 *       for bitmaps, chains of files and tables that the header names
 *   <li>{@link dev.qcow2.conformance.mutant.Triangle}: which of the kit's judges finds which fault of the formal model
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.mutant;

import org.jspecify.annotations.NullMarked;
