/**
 * {@code qcow2 io}: what qemu-io does, on either implementation.
 *
 * <p>Reading order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.io.IoProgram}: from the command line to the exit code;
 *   <li>{@link dev.qcow2.conformance.io.Verb}: the commands of the inner language;
 *   <li>{@link dev.qcow2.conformance.io.Shell}: a line becomes a command;
 *   <li>{@link dev.qcow2.conformance.io.Transfers}: the commands that move bytes, at once or in the background.
 * </ol>
 *
 * <p>Texts, exit codes and the order of checks are those that qemu-io 7.2 shows from outside, for scripts depend on them. What differs:
 * the name in front of messages is {@code qcow2 io}, the long help texts are our own, background requests tell their results in the order
 * of their submission, and a failing request is never cut into its successful part.
 */
@NullMarked
package dev.qcow2.conformance.io;

import org.jspecify.annotations.NullMarked;
