/** {@code qcow2 io} against qemu-io: same commands, same images, same answers. */
@NullMarked
package dev.qcow2.conformance.io;

import org.jspecify.annotations.NullMarked;
