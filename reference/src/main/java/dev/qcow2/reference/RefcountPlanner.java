package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Plans that let the refcount structures reach further. They count themselves (QC-REF-10). */
final class RefcountPlanner {

    private static final long HIGHEST_TABLE_BYTES = 8 << 20;

    private final Image image;
    private final Allocator allocator;
    private final PlanParts parts;

    RefcountPlanner(Image image, Allocator allocator) {
        this.image = image;
        this.allocator = allocator;
        this.parts = new PlanParts(image);
    }

    /** Returns the next plan on the way to that many free clusters in a row that can be counted; none if they are there. */
    Optional<Plan> next(long wanted) throws DiskException {
        Allocator.Run run = allocator.find(wanted);
        if (run.missingBlocks() == 0) {
            return Optional.empty();
        }
        long blockIndex = firstMissingBlock(run);
        return Optional.of(
                blockIndex < image.header().refcountTableEntries() ? addBlock(blockIndex, run.first()) : growTable());
    }

    private long firstMissingBlock(Allocator.Run run) throws DiskException {
        long index = image.geometry().blockIndex(run.first());
        while (image.refcountTableEntry(index).allocated()) {
            index++;
        }
        return index;
    }

    /** The block goes into the first free cluster: an older block counts that, or it counts itself. */
    private Plan addBlock(long blockIndex, HostCluster fresh) throws DiskException {
        Geometry geometry = image.geometry();
        Plan.Builder plan = new Plan.Builder("add refcount block " + blockIndex)
                .note(Section.LOCATE, RefcountClause.QC_REF_06, "its entry of the refcount table is zero")
                .note(Section.DECIDE, RefcountClause.QC_REF_10, "put it into " + fresh);
        ByteBuffer block = ByteBuffer.allocate(geometry.clusterSize());
        if (geometry.blockIndex(fresh) == blockIndex) {
            Counts.put(block, geometry.placeInBlock(fresh), geometry.refcountOrder(), 1);
        } else {
            parts.raise(plan, fresh);
        }
        long offset = geometry.hostOffset(fresh);
        plan.add(Section.COPY, RefcountClause.QC_REF_07, new Step.Write("the refcount block", offset, block));
        plan.flush(Section.COPY, RefcountClause.QC_REF_13);
        Step link = new Step.Write(
                "refcount table entry " + blockIndex,
                image.refcountTableEntryAt(blockIndex),
                PlanParts.entryBytes(offset));
        // No flush here: the next plan, which counts in this block, flushes before it refers to what it counted.
        return plan.add(Section.LINK, RefcountClause.QC_REF_04, link).build();
    }

    /** A longer table, and with it the blocks that the row of its own clusters lacks. */
    private Plan growTable() throws DiskException {
        Geometry geometry = image.geometry();
        Header header = image.header();
        Allocator.Run run = placeForTable();
        Plan.Builder plan = new Plan.Builder("grow the refcount table")
                .note(
                        Section.LOCATE,
                        RefcountClause.QC_REF_09,
                        header.refcountTableEntries() + " entries at " + header.refcountTableOffset())
                .note(
                        Section.DECIDE,
                        RefcountClause.QC_REF_12,
                        run.missingBlocks() + " blocks and " + run.wanted() + " clusters of table from " + run.first());
        for (long i = 0; i < run.length(); i++) {
            HostCluster host = run.first().plus(i);
            if (image.refcountTableEntry(geometry.blockIndex(host)).allocated()) {
                parts.raise(plan, host);
            }
        }
        ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(run.wanted() << geometry.clusterBits()));
        table.put(0, image.read(header.refcountTableOffset(), oldTableBytes()), 0, oldTableBytes());
        addBlocks(plan, run, table);
        HostCluster tableCluster = run.first().plus(run.missingBlocks());
        long tableOffset = geometry.hostOffset(tableCluster);
        plan.add(Section.COPY, RefcountClause.QC_REF_12, new Step.Write("the refcount table", tableOffset, table));
        plan.flush(Section.COPY, RefcountClause.QC_REF_12);
        ByteBuffer fields = ByteBuffer.allocate(12).putLong(tableOffset).putInt((int) run.wanted());
        plan.add(
                Section.LINK,
                RefcountClause.QC_REF_12,
                new Step.WriteHeader(
                        "refcount_table_offset, refcount_table_clusters", Header.REFCOUNT_TABLE_FIELDS, fields.flip()));
        HostCluster old = geometry.hostCluster(header.refcountTableOffset());
        parts.release(plan, old, header.refcountTableClusters(), RefcountClause.QC_REF_12);
        return plan.build();
    }

    private int oldTableBytes() {
        return image.header().refcountTableEntries() * Geometry.ENTRY_BYTES;
    }

    /** Finds room for a table that reaches its own end; half as long again, so that growing stays rare. */
    private Allocator.Run placeForTable() throws DiskException {
        Geometry geometry = image.geometry();
        long old = image.header().refcountTableClusters();
        for (long clusters = old + (old + 1) / 2; ; clusters++) {
            if (clusters << geometry.clusterBits() > HIGHEST_TABLE_BYTES) {
                throw new RequestRefusedException(
                        image.file().name(), LimitClause.QC_LIM_03, "the refcount table can't grow any more");
            }
            Allocator.Run run = allocator.find(clusters);
            long lastBlock = geometry.blockIndex(run.first().plus(run.length() - 1));
            if (lastBlock < (clusters << geometry.clusterBits()) / Geometry.ENTRY_BYTES) {
                return run;
            }
        }
    }

    /** Writes the missing blocks into the row's first clusters, and enters them into the new table. */
    private void addBlocks(Plan.Builder plan, Allocator.Run run, ByteBuffer table) throws DiskException {
        Geometry geometry = image.geometry();
        HostCluster place = run.first();
        long lastBlock = geometry.blockIndex(run.first().plus(run.length() - 1));
        for (long index = geometry.blockIndex(run.first()); index <= lastBlock; index++) {
            if (image.refcountTableEntry(index).allocated()) {
                continue;
            }
            ByteBuffer block = ByteBuffer.allocate(geometry.clusterSize());
            for (long i = 0; i < run.length(); i++) {
                HostCluster host = run.first().plus(i);
                if (geometry.blockIndex(host) == index) {
                    Counts.put(block, geometry.placeInBlock(host), geometry.refcountOrder(), 1);
                }
            }
            long offset = geometry.hostOffset(place);
            Step write = new Step.Write("refcount block " + index, offset, block);
            plan.add(Section.COPY, RefcountClause.QC_REF_10, write);
            table.putLong(Math.toIntExact(index) * Geometry.ENTRY_BYTES, offset);
            place = place.plus(1);
        }
    }
}
