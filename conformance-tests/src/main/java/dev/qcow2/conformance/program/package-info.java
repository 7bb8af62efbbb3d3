/** Programs of the host, each run in a process of its own. */
@NullMarked
package dev.qcow2.conformance.program;

import org.jspecify.annotations.NullMarked;
