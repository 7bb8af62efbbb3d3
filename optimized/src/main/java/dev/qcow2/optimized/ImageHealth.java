package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_17;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import org.jspecify.annotations.Nullable;

/** Whether an open image may still be changed: not after a failed flush, and not after metadata was found broken. */
final class ImageHealth {

    private final Image image;
    private volatile @Nullable DiskException cause;

    ImageHealth(Image image) {
        this.image = image;
    }

    /** After a failed host flush nobody knows what the file holds, so nothing may be built on it. */
    void poison(DiskException failure) {
        cause = failure;
    }

    /** Refuses changes if there was a reason to stop them. */
    void require() throws DiskException {
        DiskException reason = cause;
        if (reason instanceof CorruptImageException) {
            UnsupportedFeatureException refusal = new UnsupportedFeatureException(
                    image.host().name(), QC_HDR_17, "writing to an image marked corrupt");
            refusal.initCause(reason);
            throw refusal;
        }
        if (reason != null) {
            throw new HostIoException(image.host().name(), "change after a failed flush", reason);
        }
    }

    /** Whether changes stopped because metadata is broken; whatever was acknowledged before is on the disk. */
    boolean markedCorrupt() {
        return cause instanceof CorruptImageException;
    }

    /**
     * Keeps an image that is open for writing from being changed any further, since its metadata was found broken: what was
     * acknowledged goes to the disk, then the mark (QC-HDR-17). No lock and no request is held.
     *
     * @return what is to be told to the caller
     */
    CorruptImageException found(CorruptImageException corruption) {
        // A layer below has metadata of its own, which is not ours to mark.
        if (cause != null || !corruption.fileName().equals(image.host().name())) {
            return corruption;
        }
        Request request = image.claimAll();
        image.checkpoint().writer().lock();
        try {
            if (image.isOpen() && cause == null) {
                stop(corruption);
            }
        } finally {
            image.checkpoint().writer().unlock();
            image.requests().leave(request);
        }
        return corruption;
    }

    private void stop(CorruptImageException corruption) {
        try {
            image.checkpoint().run();
        } catch (DiskException e) {
            // What can't be written now could not be written later either; the mark is all the more due.
            corruption.addSuppressed(e);
        }
        try {
            image.marks().setCorrupt();
        } catch (DiskException e) {
            corruption.addSuppressed(e);
        }
        if (cause == null) {
            cause = corruption;
        }
    }
}
