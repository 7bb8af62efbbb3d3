/** The command line: one class for each subcommand. */
@NullMarked
package dev.qcow2.conformance.command;

import org.jspecify.annotations.NullMarked;
