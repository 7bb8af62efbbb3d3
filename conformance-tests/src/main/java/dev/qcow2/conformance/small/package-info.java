/**
 * All images of a small bound, sound ones and such as break one rule, and those who must agree on them.
 *
 * <p>Read in this order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.small.SmallImage}: what an image of the bound is, and all of them
 *   <li>{@link dev.qcow2.conformance.small.SmallFile}: its bytes
 *   <li>{@link dev.qcow2.conformance.small.BrokenRule}: in which ways one rule is broken
 *   <li>{@link dev.qcow2.conformance.small.SmallJudge}: what auditor, implementations and QEMU must say
 *   <li>{@link dev.qcow2.conformance.small.SmallImagesCommand}: the command line
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.small;

import org.jspecify.annotations.NullMarked;
