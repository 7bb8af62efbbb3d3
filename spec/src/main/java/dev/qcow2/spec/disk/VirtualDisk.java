package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.GuestClause;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A disk as the guest sees it: an array of bytes that can be read and changed.
 *
 * <p>Guest offsets and lengths are in bytes and need no alignment. A request that touches anything
 * outside {@code [0, size())} is refused as a whole with {@link OutOfBoundsException} (QC-GUEST-02);
 * a request of length 0 inside the disk succeeds and does nothing. After {@link #close()} every
 * request is refused with {@link DiskClosedException} (QC-GUEST-08); changes to a disk that was
 * opened read-only are refused with {@link ReadOnlyException} (QC-GUEST-07).
 *
 * <p>A disk may be used by several threads. Requests that overlap in time and in their ranges take
 * effect in some order; whether they run at the same time is the implementation's choice.
 */
public interface VirtualDisk extends AutoCloseable {

    /** Whether a zeroed range may lose its host clusters. */
    enum ZeroMode {
        /** Host clusters stay allocated where the implementation can keep them. */
        KEEP_ALLOCATION,
        /** Host clusters may be freed. */
        MAY_UNMAP
    }

    /**
     * Returns the length of the disk.
     *
     * @return bytes, 0 or more
     * @throws DiskException if the disk is closed
     */
    long size() throws DiskException;

    /**
     * Reads from the disk (QC-GUEST-01).
     *
     * @param guestOffset first byte to read
     * @param into is filled from its position to its limit; its content is unspecified if the read fails
     * @throws DiskException if the range is outside the disk, the image is broken there, or the host fails
     */
    void read(long guestOffset, ByteBuffer into) throws DiskException;

    /**
     * Writes to the disk. If the write fails, the bytes of its range may be old or new; all others
     * are as before (QC-GUEST-10).
     *
     * @param guestOffset first byte to write
     * @param from is consumed from its position to its limit
     * @throws DiskException if the range is outside the disk, the disk is read-only, or the host fails
     */
    void write(long guestOffset, ByteBuffer from) throws DiskException;

    /**
     * Makes a range read as zero (QC-GUEST-03).
     *
     * @param guestOffset first byte to zero
     * @param length bytes
     * @param mode whether host clusters may be freed
     * @throws DiskException as for {@link #write}
     */
    void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException;

    /**
     * Says that the content of a range is no longer needed (QC-GUEST-04, QC-GUEST-05).
     *
     * <p>The format lets each byte read as before or as zero. Implementations of this project are
     * stricter, so that they can be compared byte by byte: a guest cluster that lies in the range
     * as a whole reads as zero afterwards, where the last cluster of the disk counts as whole up to
     * the disk's end; any other byte is unchanged. The one exception is a version 2 image with a
     * backing file: there a discard changes nothing, for version 2 has no zero clusters that could
     * hide the backing data.
     *
     * @param guestOffset first byte to discard
     * @param length bytes
     * @throws DiskException as for {@link #write}
     */
    void discard(long guestOffset, long length) throws DiskException;

    /**
     * Makes everything that was completed before this call survive a power cut (QC-GUEST-06).
     *
     * @throws DiskException if the host fails; what was flushed earlier is still there
     */
    void flush() throws DiskException;

    /**
     * Says what is known of a range without reading its data (QC-GUEST-09).
     *
     * @param guestOffset first byte asked for
     * @param length bytes
     * @return extents in ascending order that tile the range; neighbours that could be one are one;
     *     empty if {@code length} is 0
     * @throws DiskException if the range is outside the disk, the image is broken there, or the host fails
     */
    List<BlockStatus> status(long guestOffset, long length) throws DiskException;

    /**
     * Says where in the host's files a range is, from metadata alone.
     *
     * @param guestOffset first byte asked for
     * @param length bytes
     * @return extents in ascending order that tile the range; neighbours that could be one are one; empty if {@code length} is 0
     * @throws DiskException as for {@link #status}
     */
    default List<MappedExtent> map(long guestOffset, long length) throws DiskException {
        throw missing("the map of host offsets");
    }

    /**
     * Writes whole clusters in compressed form; one that does not get smaller is written as it is. What was there before, compressed or
     * not, is given up.
     *
     * @param guestOffset a multiple of the cluster size
     * @param from a multiple of the cluster size long, or up to the disk's end; consumed
     * @throws DiskException as for {@link #write}; also if the image can't hold compressed clusters (external data file,
     *     encryption) or the range is not made of whole clusters
     */
    default void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        throw missing("compressed writes");
    }

    /**
     * Changes the length of the disk. New bytes read as zero, also where a backing file is longer than the disk was; bytes behind a
     * lower end are gone for good, and read as zero if the disk grows again. Snapshots keep their own length.
     *
     * @param newSize bytes, 0 or more
     * @param preallocation what of the new part is allocated at once; must be {@code OFF} if the disk shrinks
     * @throws DiskException if the disk is read-only, a limit of the format stands against it, or the host fails; the disk then has
     *     its old size
     */
    default void resize(long newSize, FormatFeatures.Preallocation preallocation) throws DiskException {
        throw missing("resize");
    }

    /**
     * Reads from the area of saved machine state, which starts where the guest's part of the L1 table ends. What was never written reads
     * as zero.
     *
     * @param offset first byte, counted from the start of the area
     * @param into is filled
     * @throws DiskException if the range is outside what the format can address, the image is broken there, or the host fails
     */
    default void readVmState(long offset, ByteBuffer into) throws DiskException {
        throw missing("machine state");
    }

    /**
     * Writes to the area of saved machine state. The next snapshot that is taken keeps the area as it stands and leaves it empty; after
     * {@link #applySnapshot} the area holds what that snapshot kept (QC-SNAP-22). A {@link #resize} empties it, for its place depends on
     * the disk's size.
     *
     * @param offset first byte, counted from the start of the area
     * @param from is consumed
     * @throws DiskException as for {@link #write}
     */
    default void writeVmState(long offset, ByteBuffer from) throws DiskException {
        throw missing("machine state");
    }

    /**
     * Returns the persistent bitmaps.
     *
     * @return a view that can be used until the disk is closed
     * @throws DiskException if the disk is closed
     */
    default Bitmaps bitmaps() throws DiskException {
        throw missing("persistent bitmaps");
    }

    /**
     * Tells what the opener should know: that an image was repaired, that its encryption is unsafe, and the like.
     *
     * @return sentences; empty for a common image
     */
    default List<String> notices() {
        return List.of();
    }

    private static DiskException missing(String what) {
        return new UnsupportedFeatureException("this disk", GuestClause.QC_GUEST_01, what);
    }

    /**
     * Keeps the disk's present content under a name, inside the image (QC-SNAP-01, QC-SNAP-02).
     *
     * @param name at most 65535 bytes of UTF-8, not empty
     * @return the new snapshot; its id is the smallest unused positive number above all numeric ids
     * @throws DiskException if the disk is read-only, a reference count would overflow (QC-REF-11), or the host fails
     */
    SnapshotInfo createSnapshot(String name) throws DiskException;

    /**
     * As {@link #createSnapshot(String)}, together with the saved machine state that was written before.
     *
     * @param name at most 65535 bytes of UTF-8, not empty
     * @param vmStateSize bytes of the area that belong to the snapshot, 0 or more
     * @return the new snapshot
     * @throws DiskException as for {@link #createSnapshot(String)}
     */
    default SnapshotInfo createSnapshot(String name, long vmStateSize) throws DiskException {
        if (vmStateSize == 0) {
            return createSnapshot(name);
        }
        throw missing("machine state");
    }

    /**
     * Makes a snapshot's content the disk's content (QC-SNAP-03). The snapshot stays. The disk takes the snapshot's size.
     *
     * @param id id of an existing snapshot
     * @throws DiskException if there is no such snapshot, the disk is read-only, or the host fails
     */
    void applySnapshot(String id) throws DiskException;

    /**
     * Removes a snapshot and frees what only it referred to.
     *
     * @param id id of an existing snapshot
     * @throws DiskException if there is no such snapshot, the disk is read-only, or the host fails
     */
    void deleteSnapshot(String id) throws DiskException;

    /**
     * Lists the snapshots inside the image, in the order of its snapshot table.
     *
     * @return an immutable list
     * @throws DiskException if the disk is closed or the table is broken
     */
    List<SnapshotInfo> snapshots() throws DiskException;

    /**
     * Flushes and gives up the image and its whole backing chain. A second call does nothing.
     *
     * @throws DiskException if the flush fails; the disk is closed all the same
     */
    @Override
    void close() throws DiskException;
}
