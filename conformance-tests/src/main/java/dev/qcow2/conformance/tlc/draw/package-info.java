/**
 * Draws what a counterexample of the formal model shows: {@link dev.qcow2.conformance.tlc.draw.Storyboard}, and a
 * drawing for each module.
 */
@NullMarked
package dev.qcow2.conformance.tlc.draw;

import org.jspecify.annotations.NullMarked;
