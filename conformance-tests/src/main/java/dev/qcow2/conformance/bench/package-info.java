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
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.bench;

import org.jspecify.annotations.NullMarked;
