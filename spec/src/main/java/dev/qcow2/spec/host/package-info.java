/**
 * The one door to the host: everything that is read from or written to a file goes through
 * {@link dev.qcow2.spec.host.HostFile}, and every file is found through
 * {@link dev.qcow2.spec.host.HostDirectory}.
 *
 * <p>Behind the door stand real files, memory, and wrappers that record or fail; no implementation
 * can tell them apart.
 */
@NullMarked
package dev.qcow2.spec.host;

import org.jspecify.annotations.NullMarked;
