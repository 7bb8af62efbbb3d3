/**
 * The formal model at the command line: {@link dev.qcow2.conformance.tlc.ModelCommand}.
 */
@NullMarked
package dev.qcow2.conformance.tlc;

import org.jspecify.annotations.NullMarked;
