package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.RefcountClause.QC_REF_16;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Knows which host clusters hold what the image itself needs: tables, refcount blocks, and what the header names. A
 * broken entry or a count that is too low would make guest data go over them, or one table over another; this is asked
 * before a cluster is written to as somebody's own, and before it is given to somebody or given back (QC-REF-16).
 * Guarded by the image's metadata lock.
 *
 * <p>L2 tables of snapshots are not known here: to find them would mean to read all L1 tables.
 */
final class StructureMap {

    /** Bytes of the file. */
    record Range(long offset, long length) {}

    private final HostFile host;
    private final int clusterBits;
    private RootTable l1;
    private RootTable refcountTable;
    private List<Range> snapshots = List.of();
    private final Range encryption;
    private Range bitmaps = new Range(0, 0);

    /** Clusters of the ranges, first and behind the last, both in ascending order. */
    private long[] firsts = {};

    private long[] ends = {};

    StructureMap(HostFile host, ImageHeader header) {
        this.host = host;
        this.clusterBits = header.clusterBits();
        this.encryption =
                new Range(header.encryption().offset(), header.encryption().length());
        this.l1 = new RootTable(host, 0, 0);
        this.refcountTable = l1;
    }

    /** Hears which L1 table is the active one. */
    void setL1(RootTable table) {
        l1 = table;
        refresh();
    }

    /** Hears which refcount table counts. */
    void setRefcountTable(RootTable table) {
        refcountTable = table;
        refresh();
    }

    /** Hears where the snapshot table and the L1 tables of snapshots are. */
    void setSnapshots(List<Range> ranges) {
        snapshots = List.copyOf(ranges);
        refresh();
    }

    /** Hears where the directory of bitmaps is. */
    void setBitmaps(long offset, long length) {
        bitmaps = new Range(offset, length);
        refresh();
    }

    private void refresh() {
        Stream<Range> tables = Stream.of(
                new Range(0, 1),
                new Range(l1.hostOffset(), 8L * l1.entries()),
                new Range(refcountTable.hostOffset(), 8L * refcountTable.entries()),
                encryption,
                bitmaps);
        long[][] sorted = Stream.concat(tables, snapshots.stream())
                .filter(range -> range.length() > 0)
                .map(range -> new long[] {
                    range.offset() >>> clusterBits, ((range.offset() + range.length() - 1) >>> clusterBits) + 1
                })
                .sorted((a, b) -> Long.compare(a[0], b[0]))
                .toArray(long[][]::new);
        firsts = Arrays.stream(sorted).mapToLong(range -> range[0]).toArray();
        ends = Arrays.stream(sorted).mapToLong(range -> range[1]).toArray();
        for (int i = 1; i < ends.length; i++) {
            // Ranges of a broken image may overlap; so the ends stay in order too.
            ends[i] = Math.max(ends[i], ends[i - 1]);
        }
    }

    private boolean inRange(long first, long count) {
        int found = Arrays.binarySearch(firsts, first + count - 1);
        int latest = found >= 0 ? found : -found - 2;
        return latest >= 0 && ends[latest] > first;
    }

    /** Whether one of the clusters holds anything of the image. */
    boolean holdsAny(long first, long count) throws DiskException {
        return inRange(first, count)
                || l1.named(clusterBits).any(first, count)
                || refcountTable.named(clusterBits).any(first, count);
    }

    /** Refuses clusters that are to be the guest's, or nobody's, if one of them holds anything of the image. */
    void requireNone(long first, long count) throws DiskException {
        if (holdsAny(first, count)) {
            throw corrupt(first, count == 1 ? "a cluster" : "one of " + count + " clusters", "no table");
        }
    }

    /** Refuses to change an L2 table, which an active L1 entry names, if its cluster holds anything else too. */
    void requireOnlyL2Table(long cluster) throws DiskException {
        if (inRange(cluster, 1)
                || l1.named(clusterBits).several(cluster)
                || refcountTable.named(clusterBits).any(cluster, 1)) {
            throw corrupt(cluster, "the cluster of an L2 table", "nothing but this table");
        }
    }

    /** Refuses to change a refcount block, if its cluster holds anything else too. */
    void requireOnlyBlock(long cluster) throws DiskException {
        if (inRange(cluster, 1)
                || l1.named(clusterBits).any(cluster, 1)
                || refcountTable.named(clusterBits).several(cluster)) {
            throw corrupt(cluster, "the cluster of a refcount block", "nothing but this block");
        }
    }

    private CorruptImageException corrupt(long cluster, String found, String allowed) {
        return new CorruptImageException(
                host.name(), QC_REF_16, cluster << clusterBits, found + " that holds a table of the image", allowed);
    }
}
