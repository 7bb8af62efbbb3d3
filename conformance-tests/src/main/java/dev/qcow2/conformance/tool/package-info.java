/**
 * What the commands {@code img}, {@code io} and {@code serve} have in common: how an image is named, in all the ways that QEMU's
 * users know, and how it is opened over either implementation.
 *
 * <p>Reading order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.tool.BlockOptions}: a name becomes a tree of options;
 *   <li>{@link dev.qcow2.conformance.tool.NodeOpener}: the tree becomes an open image;
 *   <li>{@link dev.qcow2.conformance.tool.OpenNode}: the open image, whatever its format;
 *   <li>{@link dev.qcow2.conformance.tool.NodeDirectory}: how an implementation finds the files behind such names;
 *   <li>{@link dev.qcow2.conformance.tool.ToolSettings}: implementation, secrets, cache mode.
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.tool;

import org.jspecify.annotations.NullMarked;
