package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Writes. A request claims its range, then goes through it in steps: LOCATE and ALLOCATE under the metadata lock, the
 * data without any lock, LINK under the lock again.
 */
final class WritePath {

    /** A step's data: enough for long host writes, and little enough for the host's temporary buffers. */
    private static final long STEP_BYTES = 4L << 20;

    private final Image image;
    private final MappingTables mapping;
    private final AllocatingWrite allocating;
    private final TableGrowth growth;
    private final SubclusterMap subclusters;
    private final int clusterBits;
    private final int mostClusters;

    WritePath(Image image) {
        this.image = image;
        this.mapping = image.mapping();
        this.allocating = new AllocatingWrite(image);
        this.subclusters = image.subclusters();
        this.growth = new TableGrowth(image);
        this.clusterBits = image.clusterBits();
        this.mostClusters = image.options().runAllocation() ? (int) Math.max(1, STEP_BYTES >>> clusterBits) : 1;
    }

    TableGrowth growth() {
        return growth;
    }

    void write(long offset, ByteBuffer from) throws DiskException {
        image.relieve();
        Request request = begin(offset, offset + from.remaining());
        try {
            image.mark(offset, from.remaining());
            writeClaimed(request, offset, from);
        } finally {
            image.requests().leave(request);
        }
        image.finishChange();
    }

    /** Writes into a range that the request has claimed. */
    void writeClaimed(Request request, long offset, ByteBuffer from) throws DiskException {
        int limit = from.limit();
        long end = offset + from.remaining();
        Allocation step = request.allocation;
        try {
            for (long at = offset; at < end; at += step.length) {
                image.relieve();
                plan(step, at, end);
                from.limit(from.position() + (int) step.length);
                if (step.inPlace) {
                    image.guestData().write(step.hostOffset, at, from);
                } else {
                    allocating.perform(step, at, from);
                }
            }
        } finally {
            from.limit(limit);
        }
    }

    private Request begin(long first, long end) throws DiskException {
        image.metadata().lock();
        try {
            image.warm(first >>> clusterBits);
            while (true) {
                boolean exact = image.options().concurrentRequests() && isInPlace(first, end);
                long claimFirst = exact ? image.guestData().claimFirst(first) : claimStart(first);
                long claimEnd = exact ? image.guestData().claimEnd(end) : claimEnd(end);
                image.requireOpen();
                image.health().require();
                image.requireContent(first, end - first);
                if (image.requests().isFree(claimFirst, claimEnd, true)) {
                    return image.requests().claim(claimFirst, claimEnd, true);
                }
                image.requests().awaitFree(claimFirst, claimEnd, true);
            }
        } finally {
            image.metadata().unlock();
        }
    }

    /** Claims whole clusters for a change, without looking at them. */
    Request beginWhole(long first, long end) throws DiskException {
        long claimFirst = claimStart(first);
        long claimEnd = claimEnd(end);
        image.metadata().lock();
        try {
            image.requests().awaitFree(claimFirst, claimEnd, true);
            image.requireOpen();
            image.health().require();
            return image.requests().claim(claimFirst, claimEnd, true);
        } finally {
            image.metadata().unlock();
        }
    }

    private long claimStart(long first) {
        return image.options().concurrentRequests() ? first >>> clusterBits << clusterBits : 0;
    }

    private long claimEnd(long end) {
        long mask = image.clusterSize() - 1;
        return image.options().concurrentRequests() && end <= Long.MAX_VALUE - mask
                ? (end + mask) & ~mask
                : Long.MAX_VALUE;
    }

    /** Says whether a small range can be written in place, so that only its own bytes need to be claimed. */
    private boolean isInPlace(long first, long end) throws DiskException {
        long firstCluster = first >>> clusterBits;
        long lastCluster = (end - 1) >>> clusterBits;
        // A longer range owns the clusters in its middle anyway; to look at all of them would cost more than it gives.
        if (lastCluster - firstCluster > 1) {
            return false;
        }
        if (mapping.extended()) {
            return subclusters.isInPlace(firstCluster, first, end, mapping.find(firstCluster))
                    && subclusters.isInPlace(lastCluster, first, end, mapping.find(lastCluster));
        }
        return isInPlace(firstCluster) && isInPlace(lastCluster);
    }

    private boolean isInPlace(long cluster) throws DiskException {
        return EntryBits.writableInPlace(mapping.entry(mapping.find(cluster), cluster));
    }

    private void plan(Allocation step, long at, long end) throws DiskException {
        while (true) {
            image.metadata().lock();
            try {
                if (tryPlan(step, at, end)) {
                    return;
                }
            } finally {
                image.metadata().unlock();
            }
            growth.grow(at >>> clusterBits, mostClusters);
        }
    }

    /** LOCATE and ALLOCATE; false if a table must grow first. */
    private boolean tryPlan(Allocation step, long at, long end) throws DiskException {
        long cluster = at >>> clusterBits;
        image.warm(cluster);
        long inCluster = at & (image.clusterSize() - 1);
        long clustersToEnd = ((end - 1) >>> clusterBits) - cluster + 1;
        int most = (int) Math.min(Math.min(clustersToEnd, mostClusters), mapping.leftInSlice(cluster));
        Slice slice = mapping.find(cluster);
        step.firstEntry = mapping.entry(slice, cluster);
        step.guestCluster = cluster;
        if (mapping.extended()) {
            subclusters.plan(step, slice, at, end, most);
        } else {
            planStandard(step, slice, most);
        }
        if (step.inPlace || step.reused) {
            step.hostOffset = EntryBits.offset(step.firstEntry) + (step.inPlace ? inCluster : 0);
            step.neverWritten = false;
            if (!mapping.dataFile()) {
                image.allocator()
                        .structures()
                        .requireNone(EntryBits.offset(step.firstEntry) >>> clusterBits, step.clusters);
            }
        } else if (!allocate(step)) {
            return false;
        }
        step.length = Math.min(end - at, ((long) step.clusters << clusterBits) - inCluster);
        if (step.inPlace) {
            return true;
        }
        if (mapping.extended()) {
            subclusters.setBorders(step, mapping.find(cluster), at, at + step.length);
        } else {
            step.lastEntry = step.clusters == 1
                    ? step.firstEntry
                    : mapping.entry(mapping.find(cluster), cluster + step.clusters - 1);
            step.headFrom = cluster << clusterBits;
            step.tailTo = (cluster + step.clusters) << clusterBits;
        }
        if (mapping.dataFile()) {
            // QC-DATA-11: it does not become longer than the disk.
            step.tailTo = Math.min(step.tailTo, Math.max(image.size(), at + step.length));
        }
        return true;
    }

    private void planStandard(Allocation step, @Nullable Slice slice, int most) throws DiskException {
        step.inPlace = EntryBits.writableInPlace(step.firstEntry);
        step.reused = image.options().reuseZeroAllocated() && EntryBits.ownsHiddenCluster(step.firstEntry);
        int alike = 1;
        while (alike < most && isAlike(step, mapping.entry(slice, step.guestCluster + alike), alike)) {
            alike++;
        }
        step.clusters = alike;
    }

    private boolean isAlike(Allocation step, long next, int distance) {
        boolean follows =
                EntryBits.offset(next) == EntryBits.offset(step.firstEntry) + ((long) distance << clusterBits);
        if (step.inPlace) {
            return EntryBits.writableInPlace(next) && follows;
        }
        boolean reusable = image.options().reuseZeroAllocated() && EntryBits.ownsHiddenCluster(next);
        if (step.reused) {
            return reusable && follows;
        }
        return !reusable && !EntryBits.writableInPlace(next);
    }

    private boolean allocate(Allocation step) throws DiskException {
        if (mapping.dataFile()) {
            return placeInDataFile(step);
        }
        // One more for the L2 table.
        if (!mapping.reaches(step.guestCluster) || !image.allocator().hasRoomFor(step.clusters + 1L)) {
            return false;
        }
        mapping.writable(
                step.guestCluster, image.allocator(), image.checkpoint().frees());
        long untouched = image.space().usedClusters();
        long first = image.allocator().allocate(step.clusters);
        step.clusters = image.allocator().runLength();
        step.hostOffset = first << clusterBits;
        step.neverWritten = first >= untouched;
        return true;
    }

    /** QC-DATA-02: in a data file each cluster has its place, and only the L2 table may have to be allocated. */
    private boolean placeInDataFile(Allocation step) throws DiskException {
        if (!mapping.reaches(step.guestCluster) || !image.allocator().hasRoomFor(1)) {
            return false;
        }
        mapping.writable(
                step.guestCluster, image.allocator(), image.checkpoint().frees());
        step.hostOffset = step.guestCluster << clusterBits;
        step.neverWritten = false;
        return true;
    }
}
