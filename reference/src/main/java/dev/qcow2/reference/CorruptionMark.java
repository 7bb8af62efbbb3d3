package dev.qcow2.reference;

import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;

/**
 * Remembers that metadata was found broken while the image was open for writing, in the image itself (QC-HDR-17): from
 * then on nobody writes to it before it is repaired. Version 2 has no such bit; there only this disk remembers.
 */
final class CorruptionMark {

    private final Image image;
    private final boolean writable;
    private boolean broken;

    CorruptionMark(Image image, boolean writable) {
        this.image = image;
        this.writable = writable;
    }

    /** Hears of a failure. If it says that this image is broken, the image is marked: one write, and one flush. */
    void hear(CorruptImageException failure) {
        if (!writable || broken || !failure.fileName().equals(image.file().name())) {
            return;
        }
        broken = true;
        try {
            if (image.header().version() > 2) {
                long bits = image.header().incompatible() | FeatureBits.CORRUPT;
                image.file().write(Header.INCOMPATIBLE_FIELD, PlanParts.entryBytes(bits));
                image.file().flush();
            }
        } catch (DiskException e) {
            // The caller hears of what was broken in the first place.
            failure.addSuppressed(e);
        }
    }

    /** Whether nothing was found broken. */
    boolean sound() {
        return !broken;
    }

    /** Refuses to change an image that was found broken. */
    void requireSound() throws DiskException {
        if (broken) {
            throw new CorruptImageException(
                    image.file().name(),
                    HeaderClause.QC_HDR_17,
                    Header.INCOMPATIBLE_FIELD,
                    "metadata that was found broken before",
                    "no writing until it is repaired");
        }
    }
}
