/**
 * Where every number of an image stands, as data.
 *
 * <ol>
 *   <li>{@link dev.qcow2.spec.layout.ByteField}, {@link dev.qcow2.spec.layout.BitField}: one number of a
 *       structure, or some bits of an entry; each can be read and poked
 *   <li>{@link dev.qcow2.spec.layout.Structure}: fields that belong together
 *   <li>{@link dev.qcow2.spec.layout.HeaderLayout}, {@link dev.qcow2.spec.layout.ExtensionLayout}, {@link
 *       dev.qcow2.spec.layout.RefcountLayout}, {@link dev.qcow2.spec.layout.MappingLayout}, {@link
 *       dev.qcow2.spec.layout.SnapshotLayout}, {@link dev.qcow2.spec.layout.BitmapLayout}, {@link
 *       dev.qcow2.spec.layout.EncryptionLayout}: the tables, in the
 *       order of the format's chapters
 *   <li>{@link dev.qcow2.spec.layout.LayoutCatalogue}: all of them
 * </ol>
 *
 * <p>The auditor, generators of hostile images, the inspector and the tests read these tables. The two
 * implementations do not: each states the layout once more in its own way, so that a test can compare.
 */
@NullMarked
package dev.qcow2.spec.layout;

import org.jspecify.annotations.NullMarked;
