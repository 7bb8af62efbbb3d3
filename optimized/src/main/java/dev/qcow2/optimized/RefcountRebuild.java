package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_03;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.NavigableSet;

/**
 * Writes a refcount table and blocks anew, behind everything that is in use, and then makes the header name them
 * (QC-REF-12). Until that one write the old ones stand, and after it what is left of them is free.
 */
final class RefcountRebuild {

    /** The count of a cluster; structures that are about to be written are not among them. */
    interface Counts {
        /** Returns the count. */
        long of(long cluster) throws DiskException;
    }

    private final HostFile host;
    private final int clusterBits;
    private final int order;
    private final int blockBits;
    private final long first;
    private final NavigableSet<Long> ranges;
    private long tableClusters;

    /**
     * Plans the layout.
     *
     * @param order the width of the new counts
     * @param first where the structures go: no cluster from there on is in use
     * @param ranges the ranges of clusters, each of one block, that have a count
     */
    RefcountRebuild(HostFile host, int clusterBits, int order, long first, NavigableSet<Long> ranges)
            throws DiskException {
        this.host = host;
        this.clusterBits = clusterBits;
        this.order = order;
        this.blockBits = clusterBits + 3 - order;
        this.first = first;
        this.ranges = ranges;
        layOut();
    }

    private void layOut() throws DiskException {
        long before;
        do {
            before = end();
            for (long range = first >>> blockBits; range <= (end() - 1) >>> blockBits; range++) {
                ranges.add(range);
            }
            tableClusters = (8 * (ranges.last() + 1) + (1L << clusterBits) - 1) >>> clusterBits;
            if (tableClusters << clusterBits > ImageHeader.MAX_REFCOUNT_TABLE_BYTES) {
                throw new RequestRefusedException(
                        host.name(), QC_LIM_03, "the refcount table would have more than 8 MiB");
            }
        } while (end() != before || tableClusters == 0);
    }

    /** The first cluster behind the new structures. */
    long end() {
        return first + tableClusters + ranges.size();
    }

    long tableOffset() {
        return first << clusterBits;
    }

    int tableClusters() {
        return (int) tableClusters;
    }

    /** Writes the structures; nothing names them yet. */
    void write(Counts counts) throws DiskException {
        ByteBuffer table = ByteBuffer.allocate((int) (tableClusters << clusterBits));
        ByteBuffer block = ByteBuffer.allocate(1 << clusterBits);
        long at = first + tableClusters;
        for (long range : ranges) {
            for (int i = 0; i < 1 << blockBits; i++) {
                long cluster = (range << blockBits) + i;
                boolean own = cluster >= first && cluster < end();
                RefcountBits.set(block.array(), i, order, own ? 1 : counts.of(cluster));
            }
            host.write(at << clusterBits, block.clear());
            table.putLong((int) (8 * range), at << clusterBits);
            at++;
        }
        host.write(tableOffset(), table);
        host.flush();
    }

    /** Makes the header name them. */
    void switchHeader() throws DiskException {
        HeaderFields.setRefcountTable(host, tableOffset(), tableClusters());
        host.flush();
    }
}
