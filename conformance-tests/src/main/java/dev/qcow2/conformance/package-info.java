/** Placeholder of the reading order. */
@NullMarked
package dev.qcow2.conformance;

import org.jspecify.annotations.NullMarked;
