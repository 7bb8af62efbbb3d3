package dev.qcow2.optimized;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The latest decompressed clusters: a guest reads 4 KiB after 4 KiB, and each cluster shall be unpacked once only.
 *
 * <p>A cluster is found by its descriptor. As long as an entry holds a descriptor nobody writes to the bytes that it names,
 * so what is here stays right; it goes when a new stream is given the same descriptor ({@link #forget}).
 */
final class ClusterCache {

    private static final int MOST_BYTES = 1 << 20;
    private static final int MOST_CLUSTERS = 16;

    private final boolean on;
    private final int clusterSize;
    private final long[] entries;
    private final byte[][] clusters;
    private int next;

    ClusterCache(int clusterSize, boolean on) {
        this.on = on;
        this.clusterSize = clusterSize;
        int capacity = Math.max(1, Math.min(MOST_CLUSTERS, MOST_BYTES / clusterSize));
        this.entries = new long[capacity];
        this.clusters = new byte[capacity][];
        Arrays.fill(clusters, new byte[0]);
    }

    /** Copies from a cluster, if it is here, as much as there is room for. */
    synchronized boolean read(long entry, int inCluster, ByteBuffer into) {
        int slot = find(entry);
        if (slot < 0) {
            return false;
        }
        into.put(clusters[slot], inCluster, into.remaining());
        return true;
    }

    /** Keeps a whole cluster in place of the one that came first. */
    synchronized void keep(long entry, ByteBuffer cluster) {
        if (!on || find(entry) >= 0) {
            return;
        }
        if (clusters[next].length == 0) {
            clusters[next] = new byte[clusterSize];
        }
        cluster.get(cluster.position(), clusters[next]);
        entries[next] = entry;
        next = (next + 1) % entries.length;
    }

    /** Forgets a descriptor that is about to get a new meaning. */
    synchronized void forget(long entry) {
        int slot = find(entry);
        if (slot >= 0) {
            entries[slot] = 0;
        }
    }

    private int find(long entry) {
        // No descriptor is 0: bit 62 is set in each.
        for (int slot = 0; slot < entries.length; slot++) {
            if (entries[slot] == entry) {
                return slot;
            }
        }
        return -1;
    }
}
