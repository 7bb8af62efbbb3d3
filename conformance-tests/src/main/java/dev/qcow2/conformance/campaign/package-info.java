/**
 * The differential campaign: implementations, the model, the auditor and QEMU on the same sequences.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.campaign.Campaign}: many sequences, on several threads
 *   <li>{@link dev.qcow2.conformance.campaign.SequenceRunner}: one sequence, judged after each operation
 *   <li>{@link dev.qcow2.conformance.campaign.Coverage}: which transitions of a cluster were seen
 *   <li>{@link dev.qcow2.conformance.campaign.Shrinker}: from a difference to a minimal script
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.campaign;

import org.jspecify.annotations.NullMarked;
