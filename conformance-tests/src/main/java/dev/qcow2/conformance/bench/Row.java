package dev.qcow2.conformance.bench;

import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * One line of the report: how a contender did at a workload.
 *
 * @param workload what was asked
 * @param contender who did it
 * @param seconds wall time of each round, in the order of the rounds
 * @param ratioTo how many times as fast as another contender of the same workload: the median over
 *     the rounds, each compared with the other's run in the same round
 * @param hostBytesPerGuestByte bytes written to the host per byte that the guest wrote, until the
 *     image was closed; empty where nothing was written or nobody could count
 * @param hostCallsPerRequest requests to the host per request of the guest; empty where nobody could count
 * @param hostBytesAllocated space that the image, or the raw file, took on the host in the end; its
 *     backing files don't count
 * @param heapMib heap in use after a collection, the most of all rounds; empty where it was not measured
 */
@SuppressWarnings("ArrayRecordComponent")
record Row(
        Workload workload,
        String contender,
        double[] seconds,
        Map<String, Double> ratioTo,
        OptionalDouble hostBytesPerGuestByte,
        OptionalDouble hostCallsPerRequest,
        long hostBytesAllocated,
        OptionalDouble heapMib) {

    /** Returns requests per second, as the median round had them. */
    double iops() {
        return workload.requests() / median(seconds);
    }

    /** Returns requests per second of the slowest round. */
    double slowest() {
        return workload.requests() / Arrays.stream(seconds).max().orElseThrow();
    }

    /** Returns requests per second of the quickest round. */
    double quickest() {
        return workload.requests() / Arrays.stream(seconds).min().orElseThrow();
    }

    /** Returns guest MiB per second, as the median round had them. */
    double mibPerS() {
        return workload.guestBytes() / median(seconds) / (1 << 20);
    }

    /** Returns the space on the host in MiB. */
    double hostMib() {
        return hostBytesAllocated / (double) (1 << 20);
    }

    static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
