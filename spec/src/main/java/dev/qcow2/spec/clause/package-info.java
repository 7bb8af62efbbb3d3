/**
 * The clause catalogue: every rule of the qcow2 format that this project obeys or judges by, one
 * enum per chapter, one constant per rule.
 *
 * <p>A clause id runs from here to the line of code that obeys it, to the test that checks it and
 * to the report that names it. Read in the order of the format's chapters:
 *
 * <ol>
 *   <li>{@link dev.qcow2.spec.clause.HeaderClause}
 *   <li>{@link dev.qcow2.spec.clause.ExtensionClause}
 *   <li>{@link dev.qcow2.spec.clause.RefcountClause}
 *   <li>{@link dev.qcow2.spec.clause.MappingClause}
 *   <li>{@link dev.qcow2.spec.clause.SnapshotClause}
 *   <li>{@link dev.qcow2.spec.clause.BackingClause}
 *   <li>{@link dev.qcow2.spec.clause.GuestClause}: what the format leaves to its user, fixed here
 *   <li>{@link dev.qcow2.spec.clause.CompressionClause}
 *   <li>{@link dev.qcow2.spec.clause.SubclusterClause}
 *   <li>{@link dev.qcow2.spec.clause.DataFileClause}
 *   <li>{@link dev.qcow2.spec.clause.CryptClause}
 *   <li>{@link dev.qcow2.spec.clause.BitmapClause}
 *   <li>{@link dev.qcow2.spec.clause.MaintenanceClause}: resize, repair, amend, commit and rebase
 *   <li>{@link dev.qcow2.spec.clause.LimitClause}: our bounds, each with its reason
 * </ol>
 */
@NullMarked
package dev.qcow2.spec.clause;

import org.jspecify.annotations.NullMarked;
