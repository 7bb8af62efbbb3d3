package dev.qcow2.reference;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Compares the stored counts with the references (QC-REF-03). Counts are mended where they stand; if blocks are broken
 * or missing, all refcount structures are made anew.
 */
final class CountCheck {

    private final RepairPass pass;
    private final Image image;
    private final Usage usage;
    private final StoredCounts stored;
    private final Set<Long> blocks = new HashSet<>();
    private final List<HostCluster> structures = new ArrayList<>();
    private boolean rebuild;
    private boolean rebuilt;
    private long low;
    private long high;

    CountCheck(RepairPass pass, StoredCounts stored) {
        this.pass = pass;
        this.image = pass.image();
        this.usage = pass.usage();
        this.stored = stored;
    }

    /** Counts the blocks themselves, after everything else (QC-REF-10); one that can't be right forces a rebuild. */
    void claimBlocks(boolean tableIsThere) throws DiskException {
        Geometry geometry = image.geometry();
        int broken = tableIsThere ? 0 : 1;
        for (int i = 0; tableIsThere && i < image.header().refcountTableClusters(); i++) {
            structures.add(
                    geometry.hostCluster(image.header().refcountTableOffset()).plus(i));
        }
        for (int i = 0; i < stored.entries(); i++) {
            long entry = stored.entry(i);
            if (entry == 0) {
                continue;
            }
            HostCluster host = new HostCluster(entry >>> geometry.clusterBits());
            if (stored.leadsToBlock(i) && !usage.conflicts(host, Usage.Purpose.STRUCTURE)) {
                usage.add(host, 1, Usage.Purpose.STRUCTURE);
                blocks.add((long) i);
                structures.add(host);
            } else {
                broken++;
            }
        }
        rebuild = broken > 0;
        pass.foundCorruptions(broken, pass.mendsAll());
    }

    /** Compares, and mends what may be mended. */
    void compare() throws DiskException {
        long end = Math.max(image.geometry().clustersFor(image.file().size()), usage.end());
        for (int i = 0; i < stored.entries(); i++) {
            if (blocks.contains((long) i)) {
                compareBlock(i, end);
            }
        }
        compareUncovered();
        // Where references can't be followed, a rebuild would forget counts that may be right.
        if (rebuild && pass.mendsAll() && pass.mendsLeaks()) {
            new RefcountRebuild(pass, structures, image.header().refcountOrder()).rebuild();
            rebuilt = true;
        }
        pass.foundCorruptions(low, pass.mendsAll());
        pass.foundLeaks(high, pass.mendsLeaks());
    }

    /** Makes the refcount structures anew with counts of another width. */
    void changeWidth(int order) throws DiskException {
        new RefcountRebuild(pass, structures, order).rebuild();
    }

    /** Whether the refcount structures are others than before. */
    boolean rebuilt() {
        return rebuilt;
    }

    /** Compares the counts of one block, and writes it as a whole if some are to be mended where they stand. */
    private void compareBlock(int index, long end) throws DiskException {
        Geometry geometry = image.geometry();
        int order = geometry.refcountOrder();
        ByteBuffer block = stored.block(index);
        long first = (long) index * geometry.countsPerBlock();
        boolean changed = false;
        for (int place = 0; place < geometry.countsPerBlock() && first + place < end; place++) {
            long count = Counts.get(block, place, order);
            long references = usage.count(new HostCluster(first + place));
            if (count == references) {
                continue;
            }
            // A count with its highest bit set is a very high one.
            boolean leaked = Long.compareUnsigned(count, references) > 0;
            low += leaked ? 0 : 1;
            high += leaked ? 1 : 0;
            if (leaked ? pass.mendsLeaks() : pass.mendsAll()) {
                Counts.put(block, place, order, Math.min(references, geometry.highestCount()));
                changed = true;
            }
        }
        if (changed) {
            pass.mend("refcount block " + index, RefcountClause.QC_REF_03, stored.entry(index), block.rewind());
        }
    }

    /** What no block covers has the count 0 (QC-REF-06). */
    private void compareUncovered() {
        Geometry geometry = image.geometry();
        for (long key : usage.chunkKeys()) {
            for (int i = 0; i < Usage.CHUNK; i++) {
                HostCluster host = new HostCluster(key * Usage.CHUNK + i);
                if (usage.count(host) > 0 && !blocks.contains(geometry.blockIndex(host))) {
                    // QC-MNT-16: a count that can't be read is not a wrong one; what would stand past the file's end is
                    // 0.
                    low += stored.canBeRead(geometry.blockIndex(host)) ? 1 : 0;
                    rebuild = true;
                }
            }
        }
    }
}
