/**
 * The fast implementation of qcow2: it writes only what must be written, and waits for nothing that it need not wait for.
 * Reading order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.optimized.CopyOnWriteDecision}: the optimisation that this package is about
 *   <li>EntryBits, RefcountBits, ImageHeader, HeaderReader: the format's structures
 *   <li>Slice, SliceCache, RootTable: tables in memory
 *   <li>MappingTables: guest clusters to host clusters; RefcountStore, ClusterAllocator: which host clusters are
 *       free; GrowthAhead: how the file gets longer
 *   <li>InFlightRequests: who may touch what at the same time
 *   <li>WritePath, AllocatingWrite: a write from claim to link; ZeroPath: zeroes and discard; Image: reads;
 *       StatusCollector, MapCollector: what is where
 *   <li>GuestData: where guest bytes become host bytes; SectorCrypto, LuksHeader, Unlocking, NewLuks: encrypted images
 *   <li>Checkpoint: how memory gets to the disk, in which order; LazyRefcounts: which part of it may wait; HeaderMarks,
 *       ImageHealth: what the header says meanwhile; TableGrowth, SnapshotOperations: the rare events
 *   <li>ResizeOperation, Preallocator: other lengths; TrackedBitmaps, BitmapBits, BitmapStorage: what the guest changed
 *   <li>Repair, ReferenceWalk, EntryMender, CountRepair, RefcountRebuild: broken images; Maintenance, Rebase,
 *       CommitToBacking, Amendment: what is done while no guest is there
 *   <li>ChangeTeller, TellingDisk: who wants to hear what is done hears it from here
 *   <li>OptimizedDisk, ChainOpener, OptimizedDriver: the contract
 * </ol>
 *
 * <p>The state of an open image is guarded by one lock, held for look-ups and table changes only. Guest data moves without
 * it. Offsets and counts from the file are checked before use and are then signed numbers of 0 or more; the one unsigned
 * value is a 64-bit reference count, which is only compared for equality.
 */
@NullMarked
package dev.qcow2.optimized;

import org.jspecify.annotations.NullMarked;
