/** Placeholder of the reading order. */
@NullMarked
package dev.qcow2.optimized;

import org.jspecify.annotations.NullMarked;
