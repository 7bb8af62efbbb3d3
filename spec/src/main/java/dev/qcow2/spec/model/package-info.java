/**
 * The executable model of what the guest sees: the oracle that says which bytes are right.
 *
 * <ol>
 *   <li>{@link dev.qcow2.spec.model.BaseContent}: what was there before the first request
 *   <li>{@link dev.qcow2.spec.model.GuestModel}: what the requests make of it
 * </ol>
 *
 * <p>It knows nothing of clusters but the size that the discard rule needs, nothing of tables, and
 * nothing of files. It is meant to be so small that it is obviously right.
 */
@NullMarked
package dev.qcow2.spec.model;

import org.jspecify.annotations.NullMarked;
