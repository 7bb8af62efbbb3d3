/**
 * Traces of what the campaign does: recorded from any implementation, judged after every operation, and written for the
 * model checker.
 */
@NullMarked
package dev.qcow2.conformance.trace;

import org.jspecify.annotations.NullMarked;
