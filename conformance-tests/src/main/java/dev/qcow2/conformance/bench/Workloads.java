package dev.qcow2.conformance.bench;

import static dev.qcow2.conformance.bench.Workload.Kind.AUDIT;
import static dev.qcow2.conformance.bench.Workload.Kind.DISCARD;
import static dev.qcow2.conformance.bench.Workload.Kind.HEAP;
import static dev.qcow2.conformance.bench.Workload.Kind.OPEN;
import static dev.qcow2.conformance.bench.Workload.Kind.READ;
import static dev.qcow2.conformance.bench.Workload.Kind.READ_COLD;
import static dev.qcow2.conformance.bench.Workload.Kind.STATUS;
import static dev.qcow2.conformance.bench.Workload.Kind.WRITE;

import dev.qcow2.conformance.bench.Workload.Kind;
import java.util.ArrayList;
import java.util.List;

/** The table of workloads. A new row is a new line here. */
public final class Workloads {

    private static final long MIB = 1L << 20;
    private static final int SMALL = 4096;
    private static final int CLUSTER = 1 << 16;

    /** The row whose figure is the heap. */
    static final String HEAP_ROW = "4k-random-1t-heap";

    private static final long MANY_CLUSTERS = 1_000_000;

    private Workloads() {}

    /**
     * Returns every workload, in the order of reports.
     *
     * @param scale 1 for the full lengths; larger numbers divide the number of requests, and so the
     *     clusters of the large images, for a quick look
     * @return the table
     */
    public static List<Workload> all(int scale) {
        List<Workload> rows = new ArrayList<>();
        for (int inFlight : new int[] {1, 32}) {
            String suffix = "-qd" + inFlight;
            rows.add(fresh("seed-4k-zero-plain" + suffix, Preparation.ZERO_PLAIN, inFlight, scale));
            rows.add(fresh("4k-zero-allocated" + suffix, Preparation.ZERO_ALLOCATED, inFlight, scale));
            rows.add(fresh("4k-unallocated" + suffix, Preparation.UNALLOCATED, inFlight, scale));
            rows.add(fresh("4k-over-zero-backing" + suffix, Preparation.ZERO_BACKING, inFlight, scale));
            rows.add(over("4k-over-data-backing" + suffix, inFlight, scale));
            rows.add(random("4k-random-zero-plain" + suffix, WRITE, Preparation.ZERO_PLAIN, inFlight, scale));
            rows.add(random("4k-random-rewrite" + suffix, WRITE, Preparation.DATA, inFlight, scale));
            rows.add(random("4k-random-read" + suffix, READ, Preparation.DATA, inFlight, scale));
        }
        rows.add(sequential("4k-sequential-rewrite-qd1", WRITE, Preparation.DATA, SMALL, 65536 / scale));
        rows.add(sequential("1m-sequential-write-qd1", WRITE, Preparation.UNALLOCATED, (int) MIB, 512 / scale));
        rows.add(sequential("1m-sequential-read-qd1", READ, Preparation.DATA, (int) MIB, 512 / scale));
        rows.add(sequential("1m-sequential-read-cold-qd1", READ_COLD, Preparation.DATA, (int) MIB, 512 / scale));
        rows.add(random("4k-random-read-chain-of-8-qd1", READ, Preparation.CHAIN_OF_8, 1, scale));
        rows.add(sequential("64k-discard-qd1", DISCARD, Preparation.DATA, CLUSTER, 8192 / scale));
        for (int inFlight : new int[] {1, 32}) {
            String suffix = "-qd" + inFlight;
            rows.add(some("4k-subclusters-zero" + suffix, Preparation.SUBCLUSTERS_ZERO, inFlight, scale));
            rows.add(some("4k-subclusters-over-data" + suffix, Preparation.SUBCLUSTERS_OVER_DATA, inFlight, scale));
            rows.add(some("4k-snapshot-then-rewrite" + suffix, Preparation.SNAPSHOT, inFlight, scale));
        }
        rows.add(sequential("64k-compressed-read-qd1", READ, Preparation.COMPRESSED, CLUSTER, 8192 / scale));
        rows.add(sequential("4k-compressed-read-qd1", READ, Preparation.COMPRESSED, SMALL, 65536 / scale));
        rows.add(whole("audit-1m-clusters", AUDIT, scale));
        rows.add(whole("status-1m-clusters", STATUS, scale));
        rows.add(new Workload("open-16t", OPEN, Preparation.UNALLOCATED, 16L << 40, 0, 0, 1, 1));
        rows.add(new Workload(
                HEAP_ROW, HEAP, Preparation.UNALLOCATED, HeapProbe.DISK_SIZE, SMALL, 0, atLeast(64, 65536 / scale), 1));
        return rows;
    }

    /** Each request meets a cluster that no other request touches: the workload of the seed commit. */
    private static Workload fresh(String name, Preparation preparation, int inFlight, int scale) {
        int requests = atLeast(1, 16384 / scale);
        return new Workload(name, WRITE, preparation, (long) requests * CLUSTER, SMALL, CLUSTER, requests, inFlight);
    }

    /** As {@link #fresh}, with fewer requests where the image takes long to make. */
    private static Workload some(String name, Preparation preparation, int inFlight, int scale) {
        int requests = 8192 / scale;
        return new Workload(name, WRITE, preparation, (long) requests * CLUSTER, SMALL, CLUSTER, requests, inFlight);
    }

    private static Workload over(String name, int inFlight, int scale) {
        int requests = atLeast(1, 16384 / scale);
        return new Workload(
                name, WRITE, Preparation.DATA_BACKING, (long) requests * CLUSTER, SMALL, CLUSTER, requests, inFlight);
    }

    private static Workload random(String name, Kind kind, Preparation preparation, int inFlight, int scale) {
        // An odd multiple of the request size is coprime to a disk of 2^n of them: no offset comes twice.
        long step = 80_999L * SMALL;
        return new Workload(name, kind, preparation, 512 * MIB, SMALL, step, atLeast(1, 65536 / scale), inFlight);
    }

    private static Workload sequential(String name, Kind kind, Preparation preparation, int size, int requests) {
        return new Workload(name, kind, preparation, 512 * MIB, size, size, atLeast(1, requests), 1);
    }

    private static int atLeast(int least, int count) {
        return Math.max(least, count);
    }

    private static Workload whole(String name, Kind kind, int scale) {
        long diskSize = atLeast(1, (int) (MANY_CLUSTERS / scale)) * (long) CLUSTER;
        return new Workload(
                name, kind, Preparation.FRAGMENTED_1M, diskSize, CLUSTER, CLUSTER, (int) (diskSize / CLUSTER), 1);
    }
}
