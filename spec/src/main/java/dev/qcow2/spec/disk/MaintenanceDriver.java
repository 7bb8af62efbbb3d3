package dev.qcow2.spec.disk;

import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.host.HostDirectory;
import java.util.Optional;

/**
 * An implementation that can also do what is done to images while no guest uses them. Each of these leaves, after a failure
 * or a power cut, an image as it was, or one that the next open can use or repair; the guest's bytes are never lost.
 */
public interface MaintenanceDriver extends DiskDriver {

    /** What a repair may change. */
    enum RepairMode {
        /** Counts that are too high are lowered; nothing else is touched. */
        LEAKS,
        /** All that can be mended without guessing: counts, COPIED flags, broken entries, the refcount structures. */
        ALL
    }

    /** How much a rebase trusts the caller. */
    enum RebaseMode {
        /** The guest's bytes stay: where the two backing files differ, the old one's bytes are copied up. */
        SAFE,
        /** Only the name changes: the caller knows that the files hold the same. */
        UNSAFE
    }

    /**
     * Finds what is broken and mends it; clears the dirty and the corrupt bit if the image is right afterwards.
     *
     * @param directory where files live
     * @param fileName the image
     * @param mode what may be changed
     * @param options policies; access is taken as read-write
     * @return what was found and done
     * @throws DiskException if the header can't be used, or the host fails
     */
    RepairReport repair(HostDirectory directory, String fileName, RepairMode mode, OpenOptions options)
            throws DiskException;

    /**
     * Writes all that an overlay holds into its backing file, which then reads as the overlay did, and empties the overlay,
     * its area of machine state too (QC-SNAP-22). A backing file that is shorter grows first.
     *
     * @param directory where files live
     * @param fileName the overlay
     * @param options policies; must follow backing files
     * @throws DiskException if there is no backing file, the overlay has snapshots, or the host fails
     */
    void commit(HostDirectory directory, String fileName, OpenOptions options) throws DiskException;

    /**
     * Gives an image another backing file, or none.
     *
     * @param directory where files live
     * @param fileName the image
     * @param backing the new one; empty makes the image stand alone
     * @param mode whether the guest's bytes are kept by copying
     * @param options policies; a safe rebase must follow backing files
     * @throws DiskException if a file can't be opened, or the host fails
     */
    void rebase(
            HostDirectory directory, String fileName, Optional<Backing> backing, RebaseMode mode, OpenOptions options)
            throws DiskException;

    /**
     * Changes what kind of image it is.
     *
     * @param directory where files live
     * @param fileName the image
     * @param changes what shall be different
     * @param options policies; access is taken as read-write
     * @throws DiskException if a feature in use forbids the change, or the host fails
     */
    void amend(HostDirectory directory, String fileName, AmendOptions changes, OpenOptions options)
            throws DiskException;
}
