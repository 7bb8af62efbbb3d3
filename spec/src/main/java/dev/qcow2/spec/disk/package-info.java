/**
 * The guest-visible contract: what any implementation of qcow2 promises to its user.
 *
 * <ol>
 *   <li>{@link dev.qcow2.spec.disk.VirtualDisk}: the requests
 *   <li>{@link dev.qcow2.spec.disk.BlockStatus}: what is known of a range without reading it
 *   <li>{@link dev.qcow2.spec.disk.DiskDriver}: how a disk is created and opened
 *   <li>{@link dev.qcow2.spec.disk.CreateOptions}, {@link dev.qcow2.spec.disk.OpenOptions}
 *   <li>{@link dev.qcow2.spec.disk.DiskException}: the family of refusals
 * </ol>
 */
@NullMarked
package dev.qcow2.spec.disk;

import org.jspecify.annotations.NullMarked;
