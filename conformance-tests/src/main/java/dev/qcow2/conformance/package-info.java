/**
 * The kit that says whether a qcow2 implementation is right.
 *
 * <p>Read in this order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.language}: what a sequence of operations is, and its text form
 *   <li>{@link dev.qcow2.conformance.image}: images as bytes, made by no implementation
 *   <li>{@link dev.qcow2.conformance.generate}: where sequences come from
 *   <li>{@link dev.qcow2.conformance.campaign}: how they are run, judged, counted and shrunk
 *   <li>{@link dev.qcow2.conformance.qemu}: QEMU as an oracle from outside
 *   <li>{@link dev.qcow2.conformance.concurrent}: requests that overlap in time, and their judge
 *   <li>{@link dev.qcow2.conformance.bench}: who is how fast, side by side
 *   <li>{@link dev.qcow2.conformance.mutant}: wrong implementations, and who finds them
 *   <li>{@link dev.qcow2.conformance.small}: all images of a small bound, and who agrees on them
 *   <li>{@link dev.qcow2.conformance.tlc}: the formal model at the command line, and its counterexamples as pictures
 *   <li>{@link dev.qcow2.conformance.command}: the command line
 *   <li>{@link dev.qcow2.conformance.report}: what the build tells people when it is over
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance;

import org.jspecify.annotations.NullMarked;
