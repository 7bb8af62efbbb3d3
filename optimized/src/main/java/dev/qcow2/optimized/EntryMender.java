package dev.qcow2.optimized;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/**
 * Counts what an L2 entry refers to, and says what the entry should be. What can be read stays: reserved bits go, a
 * cluster that is in use twice against the rules is copied. What never could be read becomes zero.
 */
final class EntryMender {

    private static final long LEAST_COPIES = 1024;
    private static final long ALLOCATED = 0xffff_ffffL;
    private static final long ALL_ZERO = ALLOCATED << Integer.SIZE;

    private final RepairScope scope;
    private final ClusterUse use;
    private final int clusterBits;
    private final long clusterMask;
    private final long highestCount;
    private final long unreadable;
    private final long copiesEnd;
    private long nextCopy;

    EntryMender(RepairScope scope) {
        this.scope = scope;
        this.use = scope.use();
        this.clusterBits = scope.clusterBits();
        this.clusterMask = scope.clusterSize() - 1;
        long maximum = RefcountBits.maximum(scope.header().refcountOrder());
        this.highestCount = maximum < 0 ? Long.MAX_VALUE : maximum;
        // Where the bitmap says what is zero, the entry itself can't.
        this.unreadable = scope.header().version() == 2 || scope.extended() ? 0 : EntryBits.ZERO;
        this.nextCopy = scope.fileClusters();
        // The file doubles at most, whatever its entries say.
        this.copiesEnd = nextCopy + Math.max(LEAST_COPIES, nextCopy);
    }

    long highestCount() {
        return highestCount;
    }

    /** Counts an entry of a table that so many L1 entries lead to; returns what it should be. */
    long mend(long entry, long times) throws DiskException {
        return (entry & EntryBits.COMPRESSED) != 0 ? mendCompressed(entry, times) : mendPlain(entry, times);
    }

    private long mendPlain(long entry, long times) throws DiskException {
        long mended = withoutStrangeBits(entry);
        if (mended != entry) {
            scope.corruption();
        }
        long offset = EntryBits.offset(entry);
        if (offset == 0) {
            return scope.mendsAll() ? mended : entry;
        }
        if (scope.dataFile()) {
            return mendOutside(entry, mended);
        }
        long cluster = offset >>> clusterBits;
        boolean readable = (offset & clusterMask) == 0 && scope.inFile(offset, clusterMask + 1);
        if (!readable || !(use.accepts(cluster, Kind.DATA) || use.kind(cluster) == Kind.COMPRESSED)) {
            // QC-L2-04, QC-L2-14, QC-REF-16
            scope.corruption();
            if (scope.mendsAll()) {
                return unreadable;
            }
            keep(offset, clusterMask + 1, times);
            return entry;
        }
        if (mustCopy(cluster, cluster, Kind.DATA, times)) {
            scope.corruption();
            if (scope.mendsAll()) {
                long copy = copied(cluster, cluster, Kind.DATA, times);
                return copy == 0 ? unreadable : (mended & ~offset) | copy << clusterBits;
            }
        }
        use.add(cluster, times, Kind.DATA);
        return scope.mendsAll() ? mended : entry;
    }

    /** QC-DATA-03: a cluster of a data file is not counted; all that can be said of its place is that it is a cluster's. */
    private long mendOutside(long entry, long mended) throws DiskException {
        if ((EntryBits.offset(entry) & clusterMask) != 0) {
            scope.corruption();
            return scope.mendsAll() ? unreadable : entry;
        }
        return scope.mendsAll() ? mended : entry;
    }

    /**
     * Returns what the bitmap beside an entry of 16 bytes should be: none beside compressed data (QC-SUB-08), all zeros
     * where the entry was lost, and never a subcluster that is allocated and zero, or allocated nowhere (QC-SUB-06, QC-SUB-07).
     */
    long mendBitmap(long bitmap, long entry, long mended) {
        boolean named = (entry & EntryBits.COMPRESSED) != 0 || EntryBits.offset(entry) != 0;
        boolean lost = named && mended == 0 && scope.mendsAll();
        long right = lost ? ALL_ZERO : rightBitmap(bitmap, mended);
        if (right == bitmap) {
            return bitmap;
        }
        if (!lost) {
            scope.corruption();
        }
        return scope.mendsAll() ? right : bitmap;
    }

    private long rightBitmap(long bitmap, long entry) {
        if ((entry & EntryBits.COMPRESSED) != 0) {
            return 0;
        }
        long allocated = bitmap & ALLOCATED;
        boolean placed = EntryBits.offset(entry) != 0 || (scope.dataFile() && EntryBits.copied(entry));
        // What could not be read becomes zero.
        return placed ? bitmap & ~(bitmap >>> Integer.SIZE) : (bitmap & ALL_ZERO) | allocated << Integer.SIZE;
    }

    /** Without bits that have no meaning there: reserved ones, the zero flag in version 2, COPIED without a cluster. */
    private long withoutStrangeBits(long entry) {
        // QC-L2-05, QC-L2-08, QC-L2-03
        long meaning = EntryBits.offset(entry);
        boolean mayBeZero = scope.header().version() > 2 && !scope.extended();
        boolean placed = meaning != 0 || scope.dataFile();
        long flags = (placed ? EntryBits.COPIED : 0) | (mayBeZero ? EntryBits.ZERO : 0);
        return meaning | (entry & flags);
    }

    private long mendCompressed(long entry, long times) throws DiskException {
        long mended = entry & ~EntryBits.COPIED;
        if (mended != entry) {
            // QC-L2-03
            scope.corruption();
        }
        long offset = CompressedBits.offset(entry, clusterBits);
        int length = CompressedBits.length(entry, clusterBits);
        long first = offset >>> clusterBits;
        long last = (offset + length - 1) >>> clusterBits;
        if (!scope.inFile(offset, length) || !acceptsCompressed(first) || !acceptsCompressed(last)) {
            scope.corruption();
            if (scope.mendsAll()) {
                return unreadable;
            }
            keep(offset, length, times);
            return entry;
        }
        if (mustCopy(first, last, Kind.COMPRESSED, times)) {
            scope.corruption();
            if (scope.mendsAll()) {
                long copy = copied(first, last, Kind.COMPRESSED, times);
                long moved = (copy << clusterBits) + (offset & clusterMask);
                boolean fits = copy != 0 && CompressedBits.offset(moved, clusterBits) == moved;
                return fits ? (mended & ~offset) | moved : unreadable;
            }
        }
        for (long cluster = first; cluster <= last; cluster++) {
            use.add(cluster, times, Kind.COMPRESSED);
        }
        return scope.mendsAll() ? mended : entry;
    }

    private boolean acceptsCompressed(long cluster) {
        return use.accepts(cluster, Kind.COMPRESSED) || use.kind(cluster) == Kind.DATA;
    }

    /** QC-REF-11, QC-REF-16: no count is wide enough, or one cluster has both plain and compressed data. */
    private boolean mustCopy(long first, long last, Kind kind, long times) {
        for (long cluster = first; cluster <= last; cluster++) {
            if (!use.accepts(cluster, kind) || use.count(cluster) > highestCount - times) {
                return true;
            }
        }
        return false;
    }

    private long copied(long first, long last, Kind kind, long times) throws DiskException {
        if (times > highestCount) {
            return 0;
        }
        long copy = copy(first, last - first + 1);
        for (long cluster = copy; copy != 0 && cluster <= copy + last - first; cluster++) {
            use.add(cluster, times, kind);
        }
        return copy;
    }

    /** Copies clusters to the end of the file; returns the first of them, or 0 if there were too many copies already. */
    long copy(long first, long count) throws DiskException {
        if (nextCopy + count > copiesEnd) {
            return 0;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) (count << clusterBits));
        scope.host().readZeroPadded(first << clusterBits, bytes);
        long copy = nextCopy;
        nextCopy += count;
        scope.write(copy << clusterBits, bytes.flip());
        return copy;
    }

    /** What a broken entry may have meant stays counted until somebody mends it: nobody else is to be given it. */
    private void keep(long offset, long length, long times) throws DiskException {
        if (!scope.inFile(offset, length)) {
            return;
        }
        for (long cluster = offset >>> clusterBits; cluster <= (offset + length - 1) >>> clusterBits; cluster++) {
            use.add(cluster, times, Kind.DATA);
        }
    }
}
