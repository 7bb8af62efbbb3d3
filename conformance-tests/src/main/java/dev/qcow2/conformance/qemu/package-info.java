/**
 * QEMU's command-line tools as an oracle: {@link dev.qcow2.conformance.qemu.QemuTools}.
 */
@NullMarked
package dev.qcow2.conformance.qemu;

import org.jspecify.annotations.NullMarked;
