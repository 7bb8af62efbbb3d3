package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.LimitClause.QC_LIM_07;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * What the parts of one repair share: the file, what may be changed, and the numbers. Before the first change the dirty
 * bit is set, so that after a power cut nobody writes to the image before another repair has finished the work.
 */
final class RepairScope {

    /** What may be changed. */
    enum Changes {
        NOTHING,
        LEAKS,
        ALL
    }

    private static final long MOST_L1_ENTRIES = 1L << 27;

    private final HostFile host;
    private final ImageHeader header;
    private final Changes changes;
    private final HeaderMarks marks;
    private final ClusterUse use;
    private final long fileSize;
    private long rootEntries;
    private boolean changed;
    private long corruptions;
    private long corruptionsFixed;
    private long leaks;
    private long leaksFixed;

    RepairScope(HostFile host, ImageHeader header, Changes changes, HeaderMarks marks) throws DiskException {
        this.host = host;
        this.header = header;
        this.changes = changes;
        this.marks = marks;
        this.use = new ClusterUse(host.name());
        this.fileSize = host.size();
    }

    HostFile host() {
        return host;
    }

    ImageHeader header() {
        return header;
    }

    boolean extended() {
        return header.extendedL2();
    }

    boolean dataFile() {
        return header.dataFile();
    }

    int clusterBits() {
        return header.clusterBits();
    }

    long clusterSize() {
        return 1L << header.clusterBits();
    }

    ClusterUse use() {
        return use;
    }

    long fileSize() {
        return fileSize;
    }

    long fileClusters() {
        return (fileSize + clusterSize() - 1) >>> clusterBits();
    }

    boolean mendsAll() {
        return changes == Changes.ALL;
    }

    /** Flags may follow counts that are right. */
    boolean mendsFlags() {
        return mendsAll() || (mendsLeaks() && corruptions == 0 && leaks == 0);
    }

    boolean mendsLeaks() {
        return changes != Changes.NOTHING;
    }

    boolean changed() {
        return changed;
    }

    /** Notes a broken rule; if everything may be mended, the caller mends it. */
    void corruption() {
        corruption(mendsAll());
    }

    /** Notes a broken rule. */
    void corruption(boolean mended) {
        if (mended) {
            corruptionsFixed++;
        } else {
            corruptions++;
        }
    }

    /** Notes a broken rule that can't be mended. */
    void lastingCorruption() {
        corruptions++;
    }

    void leak(boolean mended) {
        if (mended) {
            leaksFixed++;
        } else {
            leaks++;
        }
    }

    long corruptions() {
        return corruptions;
    }

    long corruptionsFixed() {
        return corruptionsFixed;
    }

    long leaks() {
        return leaks;
    }

    long leaksFixed() {
        return leaksFixed;
    }

    /** QC-L2-14: whether a range is in the file; its last cluster may be cut off. */
    boolean inFile(long hostOffset, long length) {
        return hostOffset + length - fileSize < clusterSize();
    }

    /** Counts the entries of an L1 table that is to be read, so that a repair ends in bounded time. */
    void spendRoot(long entries) throws DiskException {
        rootEntries += entries;
        if (rootEntries > MOST_L1_ENTRIES) {
            throw new RequestRefusedException(
                    host.name(), QC_LIM_07, "the snapshots' L1 tables are larger than a repair may read");
        }
    }

    void write(long hostOffset, ByteBuffer bytes) throws DiskException {
        beforeChange();
        host.write(hostOffset, bytes);
    }

    void beforeChange() throws DiskException {
        if (!changed) {
            changed = true;
            if (mendsAll()) {
                marks.setDirty();
            }
        }
    }

    void flush() throws DiskException {
        if (changed) {
            host.flush();
        }
    }
}
