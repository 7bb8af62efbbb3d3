package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.reference.Usage.Purpose;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Makes a refcount table and its blocks anew, behind everything that is in use, and then switches the header. Whatever
 * a power cut leaves, the old structures or the new ones count; the old ones are not touched before.
 */
final class RefcountRebuild {

    private static final long HIGHEST_TABLE_BYTES = 8 << 20;

    private final RepairPass pass;
    private final Image image;
    private final Usage usage;
    private final List<HostCluster> old;
    private final int order;

    /**
     * Prepares a rebuild.
     *
     * @param old the clusters of the structures that are to be replaced, as far as they are counted
     * @param order the width of the new counts, which may be another one
     */
    RefcountRebuild(RepairPass pass, List<HostCluster> old, int order) {
        this.old = List.copyOf(old);
        this.order = order;
        this.pass = pass;
        this.image = pass.image();
        this.usage = pass.usage();
    }

    private Geometry geometry() {
        Geometry now = image.geometry();
        return new Geometry(now.clusterBits(), order, now.diskSize(), now.extendedL2());
    }

    /** Rebuilds; afterwards the usage counts the new structures and no longer the old ones. */
    void rebuild() throws DiskException {
        Geometry geometry = geometry();
        HostCluster start = new HostCluster(usage.end());
        old.forEach(usage::forget);
        // The new structures count themselves, so their size is found by trying.
        SortedSet<Long> needed = blocksInUse();
        long tableClusters = 1;
        for (long before = 0; before != tableClusters + needed.size(); ) {
            before = tableClusters + needed.size();
            for (long i = 0; i < before; i++) {
                needed.add(geometry.blockIndex(start.plus(i)));
            }
            long tableBytes = (needed.last() + 1) * Geometry.ENTRY_BYTES;
            if (tableBytes > HIGHEST_TABLE_BYTES) {
                throw new RequestRefusedException(
                        image.file().name(), LimitClause.QC_LIM_03, "its refcount table would be too long");
            }
            tableClusters = geometry.clustersFor(tableBytes);
        }
        long clusters = tableClusters + needed.size();
        for (long i = 0; i < clusters; i++) {
            usage.add(start.plus(i), 1, Purpose.STRUCTURE);
        }
        write(start, needed, tableClusters);
    }

    private SortedSet<Long> blocksInUse() {
        SortedSet<Long> needed = new TreeSet<>();
        for (long key : usage.chunkKeys()) {
            for (int i = 0; i < Usage.CHUNK; i++) {
                HostCluster host = new HostCluster(key * Usage.CHUNK + i);
                if (usage.count(host) > 0) {
                    needed.add(geometry().blockIndex(host));
                }
            }
        }
        return needed;
    }

    private void write(HostCluster start, SortedSet<Long> needed, long tableClusters) throws DiskException {
        Geometry geometry = geometry();
        long tableOffset = geometry.hostOffset(start);
        Plan.Builder plan = new Plan.Builder("make the refcount structures anew")
                .note(
                        Section.DECIDE,
                        RefcountClause.QC_REF_10,
                        needed.size() + " blocks and " + tableClusters + " clusters of table from " + start);
        ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(tableClusters << geometry.clusterBits()));
        HostCluster place = start.plus(tableClusters);
        for (long index : needed) {
            long offset = geometry.hostOffset(place);
            table.putLong(Math.toIntExact(index) * Geometry.ENTRY_BYTES, offset);
            // One plan for each block, so that memory holds one block at a time.
            pass.mend("refcount block " + index, RefcountClause.QC_REF_07, offset, countsOf(index));
            place = place.plus(1);
        }
        plan.add(Section.COPY, RefcountClause.QC_REF_12, new Step.Write("the refcount table", tableOffset, table));
        plan.flush(Section.COPY, RefcountClause.QC_REF_12);
        plan.add(Section.LINK, RefcountClause.QC_REF_12, headerWrite(tableOffset, (int) tableClusters));
        plan.flush(Section.LINK, RefcountClause.QC_REF_12);
        pass.apply(plan.build());
    }

    /** One write for all fields: a table without its width would be garbage (QC-MNT-19). */
    private Step headerWrite(long tableOffset, int tableClusters) throws DiskException {
        int last = order == image.header().refcountOrder() ? Header.SNAPSHOT_FIELDS : Header.ORDER_FIELD + 4;
        ByteBuffer fields = image.read(Header.REFCOUNT_TABLE_FIELDS, last - Header.REFCOUNT_TABLE_FIELDS);
        fields.putLong(0, tableOffset).putInt(8, tableClusters);
        if (last > Header.ORDER_FIELD) {
            fields.putInt(Header.ORDER_FIELD - Header.REFCOUNT_TABLE_FIELDS, order);
        }
        return new Step.WriteHeader(
                "refcount_table_offset, refcount_table_clusters, refcount_order", Header.REFCOUNT_TABLE_FIELDS, fields);
    }

    private ByteBuffer countsOf(long index) {
        Geometry geometry = geometry();
        ByteBuffer block = ByteBuffer.allocate(geometry.clusterSize());
        for (int place = 0; place < geometry.countsPerBlock(); place++) {
            long count = usage.count(new HostCluster(index * geometry.countsPerBlock() + place));
            Counts.put(block, place, geometry.refcountOrder(), Math.min(count, geometry.highestCount()));
        }
        return block;
    }
}
