package dev.qcow2.optimized;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;

/**
 * Compares the stored counts with the references, block by block, and writes what is wrong where that is allowed. If the
 * refcount structures themselves are broken nothing is written, and they must be rebuilt.
 */
final class CountRepair {

    private final RepairScope scope;
    private final ClusterUse use;
    private final int clusterBits;
    private final int order;
    private final int blockBits;
    private final RootTable table;
    private final Set<Long> blocks = new HashSet<>();
    private final Set<Integer> brokenEntries = new HashSet<>();
    private boolean broken;
    private boolean mendsLeaks;

    CountRepair(RepairScope scope) {
        this.scope = scope;
        this.use = scope.use();
        this.clusterBits = scope.clusterBits();
        this.order = scope.header().refcountOrder();
        this.blockBits = clusterBits + 3 - order;
        this.table = new RootTable(
                scope.host(),
                scope.header().refcountTableOffset(),
                scope.header().refcountTableClusters() << (clusterBits - 3));
    }

    /** Looks at the structures; returns whether they can hold the counts. */
    boolean structuresAreSound() throws DiskException {
        long first = scope.header().refcountTableOffset() >>> clusterBits;
        long end = first + scope.header().refcountTableClusters();
        broken = first == end;
        if (broken) {
            scope.corruption();
        }
        for (long cluster = first; cluster < end; cluster++) {
            if (use.kind(cluster) != Kind.NONE) {
                scope.corruption();
                broken = true;
            }
        }
        for (int index = 0; index < table.entries(); index++) {
            long entry = table.get(index);
            if (entry != 0 && !acceptsBlock(entry, first, end)) {
                scope.corruption();
                brokenEntries.add(index);
                broken = true;
            }
        }
        use.forEachRange(blockBits, cluster -> broken |= !hasBlock(cluster));
        return !broken;
    }

    private boolean acceptsBlock(long entry, long tableFirst, long tableEnd) {
        long cluster = entry >>> clusterBits;
        // QC-REF-04, QC-REF-05, QC-REF-16
        return entry > 0
                && (entry & (scope.clusterSize() - 1)) == 0
                && scope.inFile(entry, scope.clusterSize())
                && (cluster < tableFirst || cluster >= tableEnd)
                && use.kind(cluster) == Kind.NONE
                && blocks.add(cluster);
    }

    private boolean hasBlock(long cluster) throws DiskException {
        long index = cluster >>> blockBits;
        return index < table.entries() && table.get((int) index) != 0 && !brokenEntries.contains((int) index);
    }

    /** QC-REF-10: counts the structures themselves, after they were found sound or to tell leaks from them. */
    private int structureReferences(long cluster) {
        long first = scope.header().refcountTableOffset() >>> clusterBits;
        boolean inTable = cluster >= first && cluster < first + scope.header().refcountTableClusters();
        return (inTable ? 1 : 0) + (blocks.contains(cluster) ? 1 : 0);
    }

    /**
     * Compares all counts.
     *
     * @param writes whether what is wrong is written; otherwise it is only counted
     * @param blind whether something refers to clusters that nobody can tell, so that no count is lowered
     */
    void compare(boolean writes, boolean blind) throws DiskException {
        // If the structures are rebuilt, all counts are right after that.
        mendsLeaks = !blind && (scope.mendsAll() || (scope.mendsLeaks() && writes));
        byte[] block = new byte[1 << clusterBits];
        for (int index = 0; index < table.entries(); index++) {
            long entry = table.get(index);
            if (entry != 0 && !brokenEntries.contains(index)) {
                compareBlock(index, entry, block, writes);
            }
        }
        use.forEachUsed(this::compareUncovered);
        long first = scope.header().refcountTableOffset() >>> clusterBits;
        for (long cluster = first; cluster < first + scope.header().refcountTableClusters(); cluster++) {
            if (use.kind(cluster) == Kind.NONE) {
                compareUncovered(cluster);
            }
        }
    }

    /** A cluster in use has the count 0 where there is no block. */
    private void compareUncovered(long cluster) throws DiskException {
        if (!hasBlock(cluster) && canBeRead(cluster >>> blockBits)) {
            scope.corruption();
        }
    }

    /** QC-MNT-16: a count that can't be read is not a wrong one; without a block, or past the file's end, it is 0. */
    private boolean canBeRead(long index) throws DiskException {
        long entry = index < table.entries() ? table.get((int) index) : 0;
        return entry >= 0 && (entry & (scope.clusterSize() - 1)) == 0;
    }

    private void compareBlock(int index, long offset, byte[] block, boolean writes) throws DiskException {
        scope.host().readZeroPadded(offset, ByteBuffer.wrap(block));
        long first = (long) index << blockBits;
        // QC-MNT-16: what is counted where no file is was never given to anybody.
        long end = Math.max(scope.fileClusters(), use.end());
        boolean changed = false;
        for (int i = 0; i < 1 << blockBits && first + i < end; i++) {
            long stored = RefcountBits.get(block, i, order);
            long cluster = first + i;
            long references = storable(use.count(cluster) + structureReferences(cluster));
            if (stored != references && mends(stored, references)) {
                RefcountBits.set(block, i, order, references);
                changed = true;
            }
        }
        if (changed && writes) {
            scope.write(offset, ByteBuffer.wrap(block));
        }
    }

    private long storable(long references) {
        long maximum = RefcountBits.maximum(order);
        if (Long.compareUnsigned(references, maximum) <= 0) {
            return references;
        }
        // QC-REF-11
        scope.lastingCorruption();
        return maximum;
    }

    private boolean mends(long stored, long references) {
        if (Long.compareUnsigned(stored, references) > 0) {
            scope.leak(mendsLeaks);
            return mendsLeaks;
        }
        scope.corruption();
        return scope.mendsAll();
    }
}
