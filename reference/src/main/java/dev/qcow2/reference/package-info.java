/**
 * The reference implementation: one that is so simple that its correctness can be read.
 *
 * <p>It always copies on write, caches nothing but the header, postpones nothing, and does one request at a time. Data
 * flows one way: bytes, header, geometry, mapping, plan, writes. What changes an image is first planned as a list of
 * steps that can be printed, then performed by a loop that decides nothing.
 *
 * <p>Read in this order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.reference.Header}: the first bytes of the file, and the bounds of all tables
 *   <li>{@link dev.qcow2.reference.Geometry}: how many of everything there are; with {@link
 *       dev.qcow2.reference.GuestCluster} and {@link dev.qcow2.reference.HostCluster}, which must not be mixed up
 *   <li>{@link dev.qcow2.reference.L1Entry}, {@link dev.qcow2.reference.L2Entry}: from guest to host
 *   <li>{@link dev.qcow2.reference.RefcountTableEntry}, {@link dev.qcow2.reference.Counts}: who uses a host cluster
 *   <li>{@link dev.qcow2.reference.Image}: the questions that metadata answers; {@link dev.qcow2.reference.Mapping}: one
 *       answer
 *   <li>{@link dev.qcow2.reference.Resolver}: the disk as the guest sees it, through the chain of {@link
 *       dev.qcow2.reference.Layer}s
 *   <li>{@link dev.qcow2.reference.Allocator}: where free clusters are
 *   <li>{@link dev.qcow2.reference.Plan}, {@link dev.qcow2.reference.Step}, {@link dev.qcow2.reference.Workbench}: what
 *       will be done, and doing it
 *   <li>{@link dev.qcow2.reference.Fate}: what zeroing and discarding make of a cluster
 *   <li>{@link dev.qcow2.reference.Planner}: the plans for one guest cluster; {@link dev.qcow2.reference.PlanParts}: what
 *       plans have in common
 *   <li>{@link dev.qcow2.reference.TablePlanner}, {@link dev.qcow2.reference.RefcountPlanner}: the plans that make room
 *   <li>{@link dev.qcow2.reference.ImageWriter}: which plans follow each other
 *   <li>{@link dev.qcow2.reference.DataPath}: requests of the guest
 * </ol>
 *
 * <p>That is the core data path. Where the bytes are on the host: {@link dev.qcow2.reference.HostMap}. Compressed clusters: {@link dev.qcow2.reference.CompressedDescriptor}, {@link
 * dev.qcow2.reference.Codec}, {@link dev.qcow2.reference.CompressedPlanner}, {@link
 * dev.qcow2.reference.CompressedWriter}. Subclusters: {@link
 * dev.qcow2.reference.SubclusterBitmap}, {@link dev.qcow2.reference.SubclusterPlanner}, {@link
 * dev.qcow2.reference.SubclusterWriter}. Snapshots: {@link dev.qcow2.reference.SnapshotEntry}, {@link
 * dev.qcow2.reference.SnapshotTable}, {@link dev.qcow2.reference.Reach}, {@link dev.qcow2.reference.SnapshotPlanner}, {@link
 * dev.qcow2.reference.Snapshots}, {@link dev.qcow2.reference.VmState}. External data file: {@link
 * dev.qcow2.reference.DataFile}. Encryption: {@link dev.qcow2.reference.GuestData}, {@link
 * dev.qcow2.reference.Unlocker}, {@link dev.qcow2.reference.Locker}, with the ciphers in {@code crypt}. Around them: {@link dev.qcow2.reference.ImageCreator} and {@link
 * dev.qcow2.reference.ImageOpener} with {@link dev.qcow2.reference.HeaderExtension} and {@link
 * dev.qcow2.reference.FeatureBits}, with {@link dev.qcow2.reference.ReferenceDisk}, behind the front door {@link dev.qcow2.reference.ReferenceDriver}. {@link
 * dev.qcow2.reference.ManagedDisk} surrounds an open disk, with {@link dev.qcow2.reference.CorruptionMark}.
 *
 * <p>Repair: {@link dev.qcow2.reference.Repair} says in which order; {@link dev.qcow2.reference.RepairPass} is one walk over
 * the image. {@link dev.qcow2.reference.StructureWalk}, {@link dev.qcow2.reference.BitmapWalk} and {@link
 * dev.qcow2.reference.EntryWalk} (with {@link dev.qcow2.reference.CheckedL2Entry}) find who refers to which host cluster,
 * {@link dev.qcow2.reference.Usage} keeps the answer, {@link dev.qcow2.reference.CountCheck} compares it with {@link
 * dev.qcow2.reference.StoredCounts}, and {@link dev.qcow2.reference.RefcountRebuild} starts afresh where nothing can be
 * saved.
 *
 * <p>Size: {@link dev.qcow2.reference.Resizer}, {@link dev.qcow2.reference.Preallocator}.
 *
 * <p>Another kind of image: {@link dev.qcow2.reference.HeaderArea}, {@link dev.qcow2.reference.Amender}, {@link
 * dev.qcow2.reference.ZeroRemover}, {@link dev.qcow2.reference.BackingChanger}.
 *
 * <p>Persistent bitmaps on disk: {@link dev.qcow2.reference.BitmapsExtension}, {@link
 * dev.qcow2.reference.BitmapDirectoryEntry}, {@link dev.qcow2.reference.BitmapTableEntry}; in memory: {@link
 * dev.qcow2.reference.DirtyBits}; between the two: {@link dev.qcow2.reference.BitmapPlanner}, {@link
 * dev.qcow2.reference.BitmapStore}.
 */
@NullMarked
package dev.qcow2.reference;

import org.jspecify.annotations.NullMarked;
