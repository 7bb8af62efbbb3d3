package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;

/**
 * Makes the host file longer before its new clusters are written. A host file system pays for each write that moves the
 * end of a file: it changes and logs the inode. When the file already reaches further, a write is only a write.
 *
 * <p>As long as writes leave holes in their clusters, only the length changes and no space is taken. Once many clusters
 * in a row were written as a whole, space is reserved too, by zeroing the range efficiently: then the host need not look
 * for space page by page, which it does while it keeps all other writers of the file out.
 *
 * <p>All of it is a hint. If the host refuses, writes make the file longer as they go, and it is they who report what is
 * wrong. What was too much is cut off when the disk is closed; after a power cut the file stays longer, which no rule
 * forbids: the clusters there have no count, so they are free (QC-REF-01). Guarded by the image's metadata lock.
 */
final class GrowthAhead {

    private static final long MOST_LENGTH = 64L << 20;
    private static final long MOST_RESERVED = 16L << 20;
    private static final int MANY_WHOLE = 32;

    private final HostFile host;
    private final HostSpace space;
    private final int clusterBits;
    private boolean lengthens;
    private boolean reserves = true;
    private int wholeInRow;

    /** The file was made so long, if it was made longer at all. */
    private long end;

    GrowthAhead(HostFile host, HostSpace space, int clusterBits, boolean on) {
        this.host = host;
        this.space = space;
        this.clusterBits = clusterBits;
        this.lengthens = on;
    }

    /** Notes whether clusters were written from end to end, or with parts left out. */
    void note(boolean whole, int clusters) {
        wholeInRow = whole ? Math.min(MANY_WHOLE, wholeInRow + clusters) : 0;
    }

    /**
     * Makes the file reach beyond the clusters in use.
     *
     * @param usedBefore the first cluster that was not in use before the latest ones were taken: nobody has written it
     */
    void cover(long usedBefore) {
        long used = space.usedClusters() << clusterBits;
        if (!lengthens || used <= end) {
            return;
        }
        long from = Math.max(end, usedBefore << clusterBits);
        boolean dense = reserves && wholeInRow >= MANY_WHOLE;
        // Twice as long at most, so that a small image stays small.
        long target = used + Math.min(used, dense ? MOST_RESERVED : MOST_LENGTH);
        if (!(dense && reserve(from, target)) && !lengthen(target)) {
            lengthens = false;
            return;
        }
        end = target;
    }

    private boolean reserve(long from, long target) {
        try {
            reserves = host.zero(from, target - from);
        } catch (DiskException e) {
            // A full host, for one. There may be space enough for what is really written.
            reserves = false;
        }
        return reserves;
    }

    private boolean lengthen(long target) {
        try {
            // Every write under way is below the clusters in use, so this can't cut one off.
            host.truncate(target);
            return true;
        } catch (DiskException e) {
            return false;
        }
    }

    /** Gives back what was too much; no request is under way. */
    void trim() {
        long used = space.usedClusters() << clusterBits;
        if (end > used) {
            try {
                host.truncate(used);
            } catch (DiskException e) {
                // Nothing but the file's length is at stake.
            }
        }
    }
}
