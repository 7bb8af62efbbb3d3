/**
 * The language of the kit: what an image is like at first, and what is then done to it.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.language.Operation}: one step
 *   <li>{@link dev.qcow2.conformance.language.WriteCompressed}, {@link dev.qcow2.conformance.language.Resize},
 *       {@link dev.qcow2.conformance.language.VmStateStep}, {@link dev.qcow2.conformance.language.BitmapStep},
 *       {@link dev.qcow2.conformance.language.MaintenanceStep}: steps beyond plain requests
 *   <li>{@link dev.qcow2.conformance.language.OperationText}: how each of them is written
 *   <li>{@link dev.qcow2.conformance.language.Fill}: which bytes a write writes
 *   <li>{@link dev.qcow2.conformance.language.Layer}: an image of the chain
 *   <li>{@link dev.qcow2.conformance.language.FeatureText}: what it uses of the format beyond the plain form
 *   <li>{@link dev.qcow2.conformance.language.Script}: all of it, as a file that can be replayed
 * </ol>
 *
 * <p>A script that uses much of it:
 *
 * <pre>
 * qcow2-script 1
 * layer qcow2 1048576 version 3 cluster 65536 refcount 16 zstd subclusters kit snapshot clusters
 * content mixed 0 2 65536 shared
 * content compressed 2 3 65537
 * layer raw 700000
 * operations
 * bitmap add changes 65536 enabled
 * write 70000 10 1
 * vm-state write 0 5000 2
 * snapshot-create before state 5000
 * resize 2000000 off
 * write-compressed 131072 131072 3
 * qemu write 0 4096 4
 * snapshot-apply before
 * bitmap ask changes
 * repair all leak
 * </pre>
 */
@NullMarked
package dev.qcow2.conformance.language;

import org.jspecify.annotations.NullMarked;
