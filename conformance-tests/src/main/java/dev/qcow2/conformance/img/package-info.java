/** {@code qcow2 img}: what qemu-img does, on either implementation; one class for each subcommand. */
@NullMarked
package dev.qcow2.conformance.img;

import org.jspecify.annotations.NullMarked;
