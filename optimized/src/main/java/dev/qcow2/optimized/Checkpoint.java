package dev.qcow2.optimized;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Brings the metadata in memory to the disk, in the order in which a power cut at any moment leaves leaks only:
 *
 * <ol>
 *   <li>refcount blocks with raised counts, and after a flush the refcount table that names new ones (QC-REF-13);
 *   <li>a flush, which also covers the guest's data (QC-L2-13);
 *   <li>slices of L2 tables; a flush; the L1 table that names new ones; a flush;
 *   <li>only now the counts of what was dropped are lowered (QC-REF-14), and its space goes back to the host. Before this
 *       their counts keep the clusters from being handed out again (QC-REF-15).
 * </ol>
 *
 * <p>All of it is taken at one moment under the metadata lock, so no entry is written whose count, or whose data, is not:
 * an entry is made in memory only after its data was written. The writing itself is done without that lock.
 *
 * <p>If a write fails, memory stays the truth: what was taken is dirty again, and the next checkpoint writes it. If a
 * host flush fails nothing is known of any earlier write, data included; then the disk refuses every further change.
 */
final class Checkpoint {

    private final Image image;
    private final HostFile host;
    private final ReentrantLock metadata;

    /** Held by whoever writes metadata to the file; taken before the metadata lock, never after. */
    private final ReentrantLock writer = new ReentrantLock();

    private final WriteBatch blocks = new WriteBatch();
    private final WriteBatch refcountTable = new WriteBatch();
    private final WriteBatch l2 = new WriteBatch();
    private final WriteBatch l1 = new WriteBatch();
    private PendingFrees taken = new PendingFrees();
    private PendingFrees filling = new PendingFrees();

    Checkpoint(Image image) {
        this.image = image;
        this.host = image.host();
        this.metadata = image.metadata();
    }

    ReentrantLock writer() {
        return writer;
    }

    /** Where requests note what they dropped; the metadata lock is held. */
    PendingFrees frees() {
        return filling;
    }

    /** Whether so much is dirty that a request should run a checkpoint before it goes on; the metadata lock is held. */
    boolean isDue() {
        return filling.wantsCheckpoint()
                || image.mapping().slices().wantsCheckpoint()
                || image.refcounts().blocks().wantsCheckpoint();
    }

    /** Brings everything to the disk. */
    void run() throws DiskException {
        run(false);
    }

    /** Makes everything that was done so far safe; counts may be left out where a repair would find them again. */
    void runLazily() throws DiskException {
        run(true);
    }

    private void run(boolean mayPostpone) throws DiskException {
        writer.lock();
        try {
            image.health().require();
            boolean postponed = take(mayPostpone);
            if (postponed) {
                // QC-HDR-22: the mark is on the disk before the first entry whose count isn't.
                markDirty();
            }
            boolean done = false;
            try {
                writeInOrder();
                done = true;
            } finally {
                settle(done);
            }
            releaseTaken(!postponed);
        } finally {
            writer.unlock();
        }
    }

    /** Takes what is dirty; returns whether counts were left behind. */
    private boolean take(boolean mayPostpone) {
        metadata.lock();
        try {
            RefcountStore refcounts = image.refcounts();
            boolean postpones = mayPostpone && image.lazyRefcounts().postpones(refcounts);
            boolean leftBehind = postpones
                    && (refcounts.blocks().hasDirty() || refcounts.table().hasDirty() || filling.runs() > 0);
            if (!postpones) {
                blocks.stage(refcounts.blocks().takeDirty());
                refcountTable.stage(refcounts.table().takeDirty());
            }
            l2.stage(image.mapping().slices().takeDirty());
            l1.stage(image.mapping().l1().takeDirty());
            PendingFrees full = filling;
            filling = taken;
            taken = full;
            image.packSpace().closeIfIn(taken);
            return leftBehind;
        } finally {
            metadata.unlock();
        }
    }

    private void writeInOrder() throws DiskException {
        flushData();
        blocks.write(host);
        if (!refcountTable.isEmpty()) {
            // A new block is complete before the table names it.
            flushHost();
            refcountTable.write(host);
        }
        if (!l2.isEmpty() || !l1.isEmpty()) {
            flushHost();
            l2.write(host);
        }
        if (!l1.isEmpty()) {
            flushHost();
            l1.write(host);
        }
        flushHost();
    }

    private void settle(boolean done) {
        metadata.lock();
        try {
            image.mapping().slices().fileChanged();
            if (done) {
                blocks.settle();
                refcountTable.settle();
                l2.settle();
                l1.settle();
            } else {
                blocks.giveBack(image.refcounts().blocks());
                refcountTable.giveBack(image.refcounts().table());
                l2.giveBack(image.mapping().slices());
                l1.giveBack(image.mapping().l1());
                filling.addAll(taken);
                taken.clear();
            }
        } finally {
            metadata.unlock();
        }
    }

    /** QC-DATA-14: what is in the data file is safe before an entry shows it. */
    private void flushData() throws DiskException {
        DataFile data = image.dataFile();
        if (data != null) {
            try {
                data.host().flush();
            } catch (DiskException e) {
                image.health().poison(e);
                throw e;
            }
        }
    }

    /** Flushes the host file; if that fails the disk is not to be trusted any more. */
    void flushHost() throws DiskException {
        try {
            host.flush();
        } catch (DiskException e) {
            image.health().poison(e);
            throw e;
        }
    }

    private void markDirty() throws DiskException {
        boolean done = false;
        try {
            image.marks().setDirty();
            done = true;
        } finally {
            if (!done) {
                settle(false);
            }
        }
    }

    /** Ends the work on an image whose counts were postponed: all is on the disk, so the mark can go (QC-HDR-16). */
    void finish() throws DiskException {
        run();
        writer.lock();
        try {
            if (image.marks().dirty()) {
                // The counts that were lowered last.
                flushHost();
                image.marks().clearDirty();
            }
        } finally {
            writer.unlock();
        }
    }

    /** Lowers counts at once: for what only a checkpoint's caller referred to, after its own flush. */
    void releaseNow(long first, long length) throws DiskException {
        taken.addRun(first, length);
        releaseTaken(true);
    }

    private void releaseTaken(boolean writesCounts) throws DiskException {
        if (taken.runs() == 0) {
            return;
        }
        CorruptImageException corruption = null;
        while (taken.runs() > 0) {
            long first = taken.first(taken.runs() - 1);
            long length = taken.length(taken.runs() - 1);
            // Forgotten first: if the host fails now the clusters leak, but no count is lowered twice.
            taken.removeLast();
            punchUnshared(first, length);
            CorruptImageException found = lower(first, length);
            corruption = corruption == null ? found : corruption;
        }
        if (writesCounts) {
            writeBlocks();
        }
        if (corruption != null) {
            throw corruption;
        }
    }

    private void punchUnshared(long first, long length) throws DiskException {
        long start = first;
        for (long cluster = first; cluster <= first + length; cluster++) {
            if (cluster == first + length || !isUnshared(cluster)) {
                punch(start, cluster - start);
                start = cluster + 1;
            }
        }
    }

    private boolean isUnshared(long cluster) throws DiskException {
        metadata.lock();
        try {
            return image.refcounts().count(cluster) == 1
                    && !image.allocator().structures().holdsAny(cluster, 1);
        } finally {
            metadata.unlock();
        }
    }

    private void punch(long first, long length) {
        int clusterBits = image.header().clusterBits();
        if (length == 0) {
            return;
        }
        try {
            // The count is still 1, so nobody can have been given the cluster: a punch never hits new data.
            host.punchHole(first << clusterBits, length << clusterBits);
        } catch (DiskException e) {
            // The space stays in use on the host, and that is all: nobody looks at a free cluster's bytes.
        }
    }

    /** Lowers what can be lowered; returns what is wrong with the rest. */
    private @Nullable CorruptImageException lower(long first, long length) throws DiskException {
        metadata.lock();
        try {
            CorruptImageException corruption = null;
            for (long cluster = first; cluster < first + length; cluster++) {
                try {
                    image.allocator().lower(cluster);
                } catch (CorruptImageException e) {
                    corruption = e;
                }
            }
            return corruption;
        } finally {
            metadata.unlock();
        }
    }

    /** Writes the counts as they are; no flush is needed, for a count that stays too high is a leak only. */
    private void writeBlocks() throws DiskException {
        metadata.lock();
        try {
            blocks.stage(image.refcounts().blocks().takeDirty());
        } finally {
            metadata.unlock();
        }
        boolean done = false;
        try {
            blocks.write(host);
            done = true;
        } finally {
            metadata.lock();
            try {
                if (done) {
                    blocks.settle();
                } else {
                    blocks.giveBack(image.refcounts().blocks());
                }
            } finally {
                metadata.unlock();
            }
        }
    }

    /** Whether the file has all that memory has: every entry, and every count as it is meant to be. */
    boolean isSettled() {
        writer.lock();
        metadata.lock();
        try {
            MappingTables mapping = image.mapping();
            RefcountStore refcounts = image.refcounts();
            boolean entries = mapping.slices().hasDirty() || mapping.l1().hasDirty();
            boolean counts = refcounts.blocks().hasDirty() || refcounts.table().hasDirty();
            return !entries && !counts && filling.runs() + taken.runs() == 0;
        } finally {
            metadata.unlock();
            writer.unlock();
        }
    }

    /** Forgets what the file has as it is in memory. */
    void forgetTables() {
        metadata.lock();
        try {
            image.mapping().slices().forgetClean();
            image.refcounts().blocks().forgetClean();
        } finally {
            metadata.unlock();
        }
    }
}
