/**
 * The benchmark: one table of workloads, run on every contender in turn.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.bench.Workload}: what is asked of a disk, as data
 *   <li>{@link dev.qcow2.conformance.bench.Workloads}: the table
 *   <li>{@link dev.qcow2.conformance.bench.Preparation}: the image that a workload starts from
 *   <li>{@link dev.qcow2.conformance.bench.Contender}: who is measured: ours, QEMU, a raw file
 *   <li>{@link dev.qcow2.conformance.bench.Benchmark}: rounds in which all contenders take turns
 *   <li>{@link dev.qcow2.conformance.bench.BenchReport}: medians, spread and ratios; as table, JSON and plot
 *   <li>{@link dev.qcow2.conformance.bench.HeapProbe}: heap instead of time, in a JVM with a bound
 * </ol>
 *
 * <p>Conditions are the same for everybody in a row. The image is made by one and the same preparation in
 * one and the same directory; where requests change its structure each run gets a fresh one, and where they
 * don't (rewrites, reads) all share one. All pass through the page cache (QEMU's cache mode writeback), or
 * past it with {@code --direct} (O_DIRECT; QEMU's cache mode none). Nobody is charged for a flush to the device:
 * {@code qemu-img bench} sends none unless told to, and ours reach the page cache only. Measured is the time
 * from the first request to the last answer, as qemu-img bench tells it; opening and closing the image is left out
 * for all. Where a tool of QEMU's doesn't tell it (discard, audit, block status, open), the time of a process
 * of that tool that does nothing is taken off. QEMU's caches have their default sizes, and so have ours.
 * Cold reads begin with the image dropped from the page cache. The first rounds count for nobody.
 */
@NullMarked
package dev.qcow2.conformance.bench;

import org.jspecify.annotations.NullMarked;
