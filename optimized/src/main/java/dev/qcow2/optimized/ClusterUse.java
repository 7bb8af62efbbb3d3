package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_07;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What refers to each host cluster, and how often: the truth that a repair brings the stored counts to. Two bytes for
 * each cluster, in pages for the parts of the file that are in use; the total is bounded, whatever an image claims.
 */
final class ClusterUse {

    /** What a cluster is used for. */
    enum Kind {
        NONE(0),
        HEADER(1),
        ROOT(2),
        SNAPSHOTS(3),
        L2(4),
        /** A table that the active L1 table names, perhaps among others. */
        ACTIVE_L2(5),
        DATA(6),
        COMPRESSED(7),
        BITMAP(8),
        ENCRYPTION(9);

        private static final Kind[] BY_CODE = values();
        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** Whether several references to such a cluster are in order. */
        boolean shareable() {
            return this == L2 || this == ACTIVE_L2 || this == DATA || this == COMPRESSED;
        }
    }

    /** Does something with a cluster. */
    interface Visitor {
        /** Visits it. */
        void visit(long cluster) throws DiskException;
    }

    private static final int PAGE_BITS = 9;
    private static final int PAGE_CLUSTERS = 1 << PAGE_BITS;
    private static final int COUNT_BITS = 12;
    private static final int MANY = (1 << COUNT_BITS) - 1;
    private static final long MOST_PAGES = (256L << 20) / (2 * PAGE_CLUSTERS);

    private final String fileName;
    private final Map<Long, short[]> pages = new HashMap<>();
    private final Map<Long, Long> many = new HashMap<>();
    private long latestIndex = -1;
    private short[] latest = new short[0];
    private long end;

    ClusterUse(String fileName) {
        this.fileName = fileName;
    }

    /** The first cluster behind all that are referred to. */
    long end() {
        return end;
    }

    Kind kind(long cluster) {
        return Kind.BY_CODE[value(cluster) >>> COUNT_BITS];
    }

    long count(long cluster) {
        int count = value(cluster) & MANY;
        return count < MANY ? count : many.getOrDefault(cluster, (long) MANY);
    }

    /** Says whether a further reference of this kind breaks no rule (QC-REF-16). */
    boolean accepts(long cluster, Kind kind) {
        Kind old = kind(cluster);
        boolean bothTables = isTable(kind) && isTable(old);
        return old == Kind.NONE || bothTables || (old == kind && kind.shareable());
    }

    private static boolean isTable(Kind kind) {
        return kind == Kind.L2 || kind == Kind.ACTIVE_L2;
    }

    void add(long cluster, long times, Kind kind) throws DiskException {
        short[] page = page(cluster >>> PAGE_BITS);
        int at = (int) cluster & (PAGE_CLUSTERS - 1);
        long count = count(cluster) + times;
        Kind old = kind(cluster);
        Kind kept = old == Kind.NONE || (old == Kind.L2 && kind == Kind.ACTIVE_L2) ? kind : old;
        page[at] = (short) (kept.code << COUNT_BITS | (int) Math.min(MANY, count));
        if (count >= MANY) {
            many.put(cluster, count);
            requireMemory();
        }
        end = Math.max(end, cluster + 1);
    }

    /** Adds a reference to each cluster that a range of bytes touches. */
    void addRange(long hostOffset, long length, Kind kind, int clusterBits) throws DiskException {
        for (long cluster = hostOffset >>> clusterBits;
                length > 0 && cluster <= (hostOffset + length - 1) >>> clusterBits;
                cluster++) {
            add(cluster, 1, kind);
        }
    }

    /** Visits the clusters of some kinds in ascending order; what the visits add behind the last one is left out. */
    void forEach(Kind kind, Kind orKind, Visitor visitor) throws DiskException {
        for (long index : sortedPages()) {
            long first = index << PAGE_BITS;
            for (long cluster = first; cluster < first + PAGE_CLUSTERS; cluster++) {
                Kind found = kind(cluster);
                if (found == kind || found == orKind) {
                    visitor.visit(cluster);
                }
            }
        }
    }

    /** Visits every cluster in use in ascending order. */
    void forEachUsed(Visitor visitor) throws DiskException {
        forEachRange(0, visitor);
    }

    /** Visits the first cluster in use of each range of {@code 1 << rangeBits} clusters that has any. */
    void forEachRange(int rangeBits, Visitor visitor) throws DiskException {
        long range = -1;
        for (long index : sortedPages()) {
            long first = index << PAGE_BITS;
            for (long cluster = first; cluster < first + PAGE_CLUSTERS; cluster++) {
                if (cluster >>> rangeBits != range && value(cluster) != 0) {
                    range = cluster >>> rangeBits;
                    visitor.visit(cluster);
                }
            }
        }
    }

    private long[] sortedPages() {
        long[] indices = new long[pages.size()];
        int size = 0;
        for (long index : pages.keySet()) {
            indices[size++] = index;
        }
        Arrays.sort(indices);
        return indices;
    }

    private int value(long cluster) {
        long index = cluster >>> PAGE_BITS;
        if (index != latestIndex) {
            short[] page = pages.get(index);
            if (page == null) {
                return 0;
            }
            latest = page;
            latestIndex = index;
        }
        return latest[(int) cluster & (PAGE_CLUSTERS - 1)] & 0xffff;
    }

    private short[] page(long index) throws DiskException {
        if (index != latestIndex) {
            short[] page = pages.get(index);
            if (page == null) {
                page = new short[PAGE_CLUSTERS];
                pages.put(index, page);
                requireMemory();
            }
            latest = page;
            latestIndex = index;
        }
        return latest;
    }

    private void requireMemory() throws DiskException {
        if (pages.size() + many.size() / 8 > MOST_PAGES) {
            throw new RequestRefusedException(
                    fileName, QC_LIM_07, "the image names more parts of its file than a repair may keep in memory");
        }
    }
}
