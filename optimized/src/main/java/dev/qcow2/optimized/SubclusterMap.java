package dev.qcow2.optimized;

import dev.qcow2.optimized.CopyOnWriteDecision.Surroundings;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Look-ups and plans in an image with extended L2 entries, where each of 32 subclusters has a state of its own. */
final class SubclusterMap {

    private final Image image;
    private final MappingTables mapping;
    private final int clusterBits;
    private final int subBits;
    private final long clusterMask;

    SubclusterMap(Image image) {
        this.image = image;
        this.mapping = image.mapping();
        this.clusterBits = image.clusterBits();
        this.subBits = clusterBits - SubclusterBits.SUBCLUSTER_BITS;
        this.clusterMask = image.clusterSize() - 1;
    }

    private int index(long guestOffset) {
        return (int) (guestOffset & clusterMask) >>> subBits;
    }

    /** The subclusters that a range inside one cluster touches. */
    int mask(long from, long to) {
        return SubclusterBits.mask(index(from), endIndex(to));
    }

    private int endIndex(long guestEnd) {
        return index(guestEnd - 1) + 1;
    }

    private long floor(long guestOffset) {
        return guestOffset >>> subBits << subBits;
    }

    private long ceiling(long guestOffset) {
        return floor(guestOffset + (1L << subBits) - 1);
    }

    /** Whether a range inside one cluster can be written in place: the entry owns it and all of it is allocated. */
    boolean isInPlace(long entry, long bitmap, long from, long to) {
        int mask = mask(from, to);
        return EntryBits.ownsCluster(entry) && (SubclusterBits.allocated(bitmap) & mask) == mask;
    }

    /** Whether a range that begins in one cluster is in place as far as that cluster goes; under the metadata lock. */
    boolean isInPlace(long cluster, long from, long to, @Nullable Slice slice) throws DiskException {
        long start = Math.max(from, cluster << clusterBits);
        long end = Math.min(to, (cluster + 1) << clusterBits);
        long entry = mapping.entry(slice, cluster);
        return isInPlace(entry, mapping.bitmap(slice, cluster), start, end);
    }

    /**
     * LOCATE for a write: what of it one step can do, and how much around the payload must be in the host clusters
     * afterwards. Only {@link Allocation#clusters} may still change, if fewer can be allocated.
     */
    void plan(Allocation step, @Nullable Slice slice, long at, long end, int most) throws DiskException {
        long cluster = step.guestCluster;
        step.firstBitmap = mapping.bitmap(slice, cluster);
        step.inPlace = isInPlace(cluster, at, end, slice);
        step.reused = !step.inPlace && EntryBits.ownsCluster(step.firstEntry);
        int alike = 1;
        while (alike < most && isAlike(step, slice, cluster + alike, end, alike)) {
            alike++;
        }
        step.clusters = alike;
    }

    private boolean isAlike(Allocation step, @Nullable Slice slice, long cluster, long end, int distance)
            throws DiskException {
        long next = mapping.entry(slice, cluster);
        boolean owned = EntryBits.ownsCluster(next);
        if (!step.inPlace && !step.reused) {
            return !owned;
        }
        boolean follows =
                EntryBits.offset(next) == EntryBits.offset(step.firstEntry) + ((long) distance << clusterBits);
        boolean inPlace = isInPlace(cluster, cluster << clusterBits, end, slice);
        // A step that fills whole clusters leaves alone what need not be filled.
        return owned && follows && (step.inPlace ? inPlace : image.options().subclusterWrites() || !inPlace);
    }

    /** Sets the borders of what a step must provide, once its clusters are known. */
    void setBorders(Allocation step, @Nullable Slice slice, long at, long payloadEnd) throws DiskException {
        long last = step.guestCluster + step.clusters - 1;
        step.lastEntry = mapping.entry(slice, last);
        step.lastBitmap = mapping.bitmap(slice, last);
        long start = step.guestCluster << clusterBits;
        long end = (last + 1) << clusterBits;
        boolean partial = image.options().subclusterWrites();
        step.needFrom = partial && !isCompressed(step.firstEntry) ? floor(at) : start;
        step.needTo = partial && !isCompressed(step.lastEntry) ? ceiling(payloadEnd) : end;
        step.headFrom = step.needFrom;
        step.tailTo = step.needTo;
        int first = SubclusterBits.allocated(step.firstBitmap);
        int lastOnes = SubclusterBits.allocated(step.lastBitmap);
        if (step.reused) {
            // What is allocated in the host cluster already is right as it is.
            step.headFrom = partial && (first >>> index(at) & 1) != 0 ? at : step.needFrom;
            step.tailTo = partial && (lastOnes >>> index(payloadEnd - 1) & 1) != 0 ? payloadEnd : step.needTo;
        } else {
            // QC-SUB-14: the entry can name one host cluster only, so what is allocated moves along.
            if (first != 0) {
                step.headFrom =
                        Math.min(step.needFrom, start + ((long) Integer.numberOfTrailingZeros(first) << subBits));
            }
            if (lastOnes != 0) {
                step.tailTo = Math.max(step.needTo, end - ((long) Integer.numberOfLeadingZeros(lastOnes) << subBits));
            }
        }
    }

    private static boolean isCompressed(long entry) {
        return (entry & EntryBits.COMPRESSED) != 0;
    }

    /** The bitmap of a cluster after a step has written it (QC-SUB-11). */
    long bitmapAfter(Allocation step, long cluster, long oldBitmap) {
        long from = Math.max(step.needFrom, cluster << clusterBits);
        long to = Math.min(step.needTo, (cluster + 1) << clusterBits);
        return SubclusterBits.allocate(oldBitmap, mask(from, to));
    }

    /** What is known of the bytes on one side of a step's payload, in one cluster. */
    Surroundings surroundings(Allocation step, boolean head, long from, long to) throws DiskException {
        long entry = head ? step.firstEntry : step.lastEntry;
        long bitmap = head ? step.firstBitmap : step.lastBitmap;
        for (long at = from; at < to; at = runEnd(entry, bitmap, at, to)) {
            long end = runEnd(entry, bitmap, at, to);
            boolean zero =
                    switch (SubclusterBits.kind(entry, bitmap, index(at))) {
                        case NORMAL, COMPRESSED -> false;
                        case ZERO_PLAIN, ZERO_ALLOCATED -> true;
                        case UNALLOCATED -> isZeroBelow(step, Math.max(at, step.needFrom), Math.min(end, step.needTo));
                    };
            if (!zero) {
                return Surroundings.DATA;
            }
        }
        return Surroundings.READS_AS_ZERO;
    }

    private boolean isZeroBelow(Allocation step, long from, long to) throws DiskException {
        Layer backing = image.backing();
        long visible = Math.min(to, image.size()) - from;
        return backing == null || visible <= 0 || Layer.readsAsZeroPadded(backing, from, visible, step.below);
    }

    /** Appends the bytes on one side of a step's payload; where nothing is needed, zeros. */
    void fill(ByteBuffer into, Allocation step, boolean head, long from, long to) throws DiskException {
        long entry = head ? step.firstEntry : step.lastEntry;
        long bitmap = head ? step.firstBitmap : step.lastBitmap;
        for (long at = from; at < to; ) {
            long end = runEnd(entry, bitmap, at, to);
            into.limit(into.position() + (int) (end - at));
            switch (SubclusterBits.kind(entry, bitmap, index(at))) {
                case NORMAL -> image.guestData().read(EntryBits.offset(entry) + (at & clusterMask), at, into);
                case COMPRESSED -> image.readCompressed(entry, at, into);
                case ZERO_PLAIN, ZERO_ALLOCATED -> Zeros.fill(into, into.remaining());
                case UNALLOCATED -> fillFromBelow(into, step, at, end);
            }
            at = end;
        }
        into.limit(into.capacity());
    }

    private void fillFromBelow(ByteBuffer into, Allocation step, long from, long to) throws DiskException {
        int limit = into.limit();
        long visibleFrom = Math.max(from, Math.min(to, step.needFrom));
        long visibleTo = Math.min(Math.min(to, step.needTo), image.size());
        Zeros.fill(into, (int) (visibleFrom - from));
        if (visibleTo > visibleFrom) {
            into.limit(into.position() + (int) (visibleTo - visibleFrom));
            image.readBelow(visibleFrom, into);
            into.limit(limit);
        }
        Zeros.fill(into, into.remaining());
    }

    private long runEnd(long entry, long bitmap, long at, long to) {
        return Math.min(to, floor(at) + ((long) SubclusterBits.runLength(entry, bitmap, index(at)) << subBits));
    }

    /** As {@link MappingTables#locate}. */
    void locate(long guestOffset, long atMost, Run run) throws DiskException {
        long cluster = guestOffset >>> clusterBits;
        Slice slice = mapping.find(cluster);
        if (slice == null) {
            mapping.locateOpen(guestOffset, atMost, run);
            return;
        }
        long entry = mapping.entry(slice, cluster);
        long bitmap = mapping.bitmap(slice, cluster);
        long limit = guestOffset + atMost;
        run.kind = SubclusterBits.kind(entry, bitmap, index(guestOffset));
        run.hostOffset =
                run.kind == ClusterKind.COMPRESSED ? entry : EntryBits.offset(entry) + (guestOffset & clusterMask);
        long last = cluster + mapping.leftInSlice(cluster);
        long end = runEnd(entry, bitmap, guestOffset, limit);
        long next = cluster + 1;
        while (end < limit
                && end == next << clusterBits
                && next < last
                && continues(run, slice, next, next - cluster, entry)) {
            end = runEnd(mapping.entry(slice, next), mapping.bitmap(slice, next), end, limit);
            next++;
        }
        run.length = end - guestOffset;
    }

    private boolean continues(Run run, @Nullable Slice slice, long next, long distance, long first)
            throws DiskException {
        long entry = mapping.entry(slice, next);
        ClusterKind kind = SubclusterBits.kind(entry, mapping.bitmap(slice, next), 0);
        return switch (run.kind) {
            case NORMAL ->
                kind == run.kind && EntryBits.offset(entry) == EntryBits.offset(first) + (distance << clusterBits);
            case ZERO_PLAIN, ZERO_ALLOCATED -> kind == ClusterKind.ZERO_PLAIN || kind == ClusterKind.ZERO_ALLOCATED;
            // One run names one host cluster at most, also where none of its bytes count.
            case UNALLOCATED -> kind == run.kind && EntryBits.offset(entry) == 0 && EntryBits.offset(first) == 0;
            case COMPRESSED -> false;
        };
    }
}
