/**
 * Images as bytes, without any implementation.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.image.ImageBuilder}: makes images that somebody else could have made
 *   <li>{@link dev.qcow2.conformance.image.DataFileBuilder}: raw files, and external data files
 *   <li>{@link dev.qcow2.conformance.image.ImageDamage}: breaks images in ways that can be mended
 *   <li>{@link dev.qcow2.conformance.image.LayerContent}: what the guest must see of them
 *   <li>{@link dev.qcow2.conformance.image.ImageInspector}: what state a cluster or a subcluster is in
 *   <li>{@link dev.qcow2.conformance.image.CopyOnWriteDirectory}: an existing image that is never touched
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.image;

import org.jspecify.annotations.NullMarked;
