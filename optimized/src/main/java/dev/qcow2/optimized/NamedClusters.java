package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;

/**
 * Tells which host clusters the entries of an L1 or refcount table name, in little memory however long the table is: a
 * hash says "certainly not" at once, and "perhaps" is looked up in the table itself. Guarded by the image's metadata
 * lock.
 */
final class NamedClusters {

    /** Bits of the hash per entry; with two probes about one answer in 250 is "perhaps" for nothing. */
    private static final int BITS_PER_ENTRY = 32;

    private static final int LEAST_BITS = 1 << 12;
    private static final int MOST_BITS = 1 << 26;

    private final RootTable table;
    private final int clusterBits;
    private long[] once;
    private long[] twice;

    /** Whether the hash knows of clusters that no entry names any more. */
    private boolean stale;

    /** Reads the whole table. */
    NamedClusters(RootTable table, int clusterBits) throws DiskException {
        this.table = table;
        this.clusterBits = clusterBits;
        this.once = new long[1];
        this.twice = new long[1];
        rebuild();
    }

    private void rebuild() throws DiskException {
        long[] named = {0};
        table.forEachUsed((index, entry) -> named[0]++);
        long bits = Long.highestOneBit(Math.max(LEAST_BITS, Math.min(MOST_BITS, named[0] * BITS_PER_ENTRY)));
        once = new long[(int) (bits >>> 6)];
        twice = new long[once.length];
        table.forEachUsed((index, entry) -> add(EntryBits.offset(entry)));
        stale = false;
    }

    /** Hears that an entry changes. */
    void replaced(long before, long after) {
        long old = EntryBits.offset(before);
        long fresh = EntryBits.offset(after);
        if (old == fresh) {
            return;
        }
        stale |= old != 0;
        if (fresh != 0) {
            add(fresh);
        }
    }

    private void add(long hostOffset) {
        long cluster = hostOffset >>> clusterBits;
        if (has(once, cluster)) {
            put(twice, cluster);
        }
        put(once, cluster);
    }

    /** Whether an entry names one of the clusters. */
    boolean any(long first, long count) throws DiskException {
        for (long cluster = first; cluster < first + count; cluster++) {
            if (has(once, cluster) && isNamed(cluster, 1)) {
                return true;
            }
        }
        return false;
    }

    /** Whether two entries or more name the cluster. */
    boolean several(long cluster) throws DiskException {
        return has(twice, cluster) && isNamed(cluster, 2);
    }

    private boolean isNamed(long cluster, int times) throws DiskException {
        if (stale) {
            rebuild();
            if (!has(times == 1 ? once : twice, cluster)) {
                return false;
            }
        }
        int[] found = {0};
        table.forEachUsed((index, entry) -> found[0] += EntryBits.offset(entry) >>> clusterBits == cluster ? 1 : 0);
        return found[0] >= times;
    }

    private static boolean has(long[] bits, long cluster) {
        long hash = hash(cluster);
        return isSet(bits, hash) && isSet(bits, hash >>> 32);
    }

    private static void put(long[] bits, long cluster) {
        long hash = hash(cluster);
        set(bits, hash);
        set(bits, hash >>> 32);
    }

    private static boolean isSet(long[] bits, long hash) {
        return (bits[(int) (hash >>> 6) & (bits.length - 1)] >>> hash & 1) != 0;
    }

    private static void set(long[] bits, long hash) {
        bits[(int) (hash >>> 6) & (bits.length - 1)] |= 1L << hash;
    }

    /** Spreads neighbours; both halves are used. */
    private static long hash(long cluster) {
        long product = cluster * 0x9e37_79b9_7f4a_7c15L;
        return (product ^ product >>> 29) * 0xbf58_476d_1ce4_e5b9L;
    }
}
