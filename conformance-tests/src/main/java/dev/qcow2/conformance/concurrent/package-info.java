/**
 * Requests that overlap in time: many threads change one disk, and what is on it in the end must be
 * explained by some order of the requests.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.concurrent.Effect}: what one finished request did, and when
 *   <li>{@link dev.qcow2.conformance.concurrent.Explanation}: finds the order, or says which bytes have none
 *   <li>{@link dev.qcow2.conformance.concurrent.ConcurrentScenario}: who does what at the same time
 *   <li>{@link dev.qcow2.conformance.concurrent.ConcurrentRun}: carries a scenario out and judges it
 *   <li>{@link dev.qcow2.conformance.concurrent.ConcurrentDifference}: what was wrong, and how to see it again
 * </ol>
 */
@NullMarked
package dev.qcow2.conformance.concurrent;

import org.jspecify.annotations.NullMarked;
