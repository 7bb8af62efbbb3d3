/**
 * The language of the kit: what an image is like at first, and what is then done to it.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.language.Operation}: one step
 *   <li>{@link dev.qcow2.conformance.language.Fill}: which bytes a write writes
 *   <li>{@link dev.qcow2.conformance.language.Layer}: an image of the chain
 *   <li>{@link dev.qcow2.conformance.language.Script}: all of it, as a file that can be replayed
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.language;

import org.jspecify.annotations.NullMarked;
