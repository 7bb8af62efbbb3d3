/** Placeholder of the reading order. */
@NullMarked
package dev.qcow2.reference;

import org.jspecify.annotations.NullMarked;
