/**
 * The judge: says from an image's bytes alone whether its metadata is right.
 *
 * <ol>
 *   <li>{@link dev.qcow2.spec.audit.Auditor}: the way in, and the order in which an image is walked
 *   <li>{@link dev.qcow2.spec.audit.AuditReport}, {@link dev.qcow2.spec.audit.Finding}: the verdict
 *   <li>{@code HeaderAudit}, {@code ExtensionAudit}: what refuses an image as a whole
 *   <li>{@code MappingAudit}, {@code SnapshotAudit}, {@code BitmapAudit}, {@code EncryptionAudit}: who refers to which host cluster
 *   <li>{@code CountComparison}: whether the refcounts say the same
 *   <li>{@code ReferenceCounts}, {@code StoredCounts}, {@code TableReferences}, {@code KeyedTable}: memory that
 *       grows with what is referred to, never with what an image claims
 * </ol>
 *
 * <p>It uses neither implementation, only {@link dev.qcow2.spec.host.HostFile} and the layout table.
 */
@NullMarked
package dev.qcow2.spec.audit;

import org.jspecify.annotations.NullMarked;
