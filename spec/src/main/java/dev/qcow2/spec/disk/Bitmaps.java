package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.GuestClause;
import java.util.List;

/**
 * The persistent bitmaps of an open image: each tells which parts of the disk were written since it was cleared.
 *
 * <p>While an image is open for writing, its enabled bitmaps follow the guest: the range of each write, write zeroes
 * and discard becomes dirty, rounded outwards to the bitmap's granularity, and the whole disk when a snapshot is
 * loaded. A resize forgets what lies beyond the new end; a new part is clean. What the bitmaps hold is on disk after
 * {@link VirtualDisk#close()}; in between the image says that they are in use, so that after a power cut nobody trusts
 * them.
 */
public interface Bitmaps {

    /**
     * One bitmap.
     *
     * @param name unique in the image, at most 1023 bytes of UTF-8
     * @param granularityBits a bit stands for {@code 1 << granularityBits} bytes of the disk; 9 to 31
     * @param enabled whether it follows writes
     * @param inUse whether its last writer did not finish: what it says can't be trusted, and it can only be removed
     */
    record BitmapInfo(String name, int granularityBits, boolean enabled, boolean inUse) {}

    /**
     * A part of the disk that a bitmap calls dirty.
     *
     * @param guestOffset first byte, a multiple of the granularity
     * @param length bytes, more than 0; ends at a multiple of the granularity or at the disk's end
     */
    record Dirty(long guestOffset, long length) {}

    /**
     * Lists the bitmaps, in the order of the bitmap directory.
     *
     * @return an immutable list
     * @throws DiskException if the disk is closed
     */
    List<BitmapInfo> list() throws DiskException;

    /**
     * Adds a bitmap with nothing dirty.
     *
     * @param name unique in the image
     * @param granularityBits 9 to 31
     * @param enabled whether it follows writes
     * @throws DiskException if the name is taken, a limit is passed, the disk is read-only, or the host fails
     */
    void add(String name, int granularityBits, boolean enabled) throws DiskException;

    /**
     * Removes a bitmap; the only thing that can be done to one that was left in use.
     *
     * @param name an existing one
     * @throws DiskException if there is none of that name, the disk is read-only, or the host fails
     */
    void remove(String name) throws DiskException;

    /**
     * Makes everything clean.
     *
     * @param name an existing one
     * @throws DiskException as for {@link #remove}, or if it was left in use
     */
    void clear(String name) throws DiskException;

    /**
     * Makes a bitmap follow writes from now on, or not any more.
     *
     * @param name an existing one
     * @param enabled whether it follows
     * @throws DiskException as for {@link #clear}
     */
    void setEnabled(String name, boolean enabled) throws DiskException;

    /**
     * Adds to one bitmap all that is dirty in another one; their granularities may differ.
     *
     * @param into an existing one
     * @param from an existing one
     * @throws DiskException as for {@link #clear}
     */
    void merge(String into, String from) throws DiskException;

    /**
     * Makes a range dirty, rounded outwards to the bitmap's granularity, whether the bitmap follows writes or not.
     *
     * @param name an existing one
     * @param guestOffset first byte
     * @param length bytes; what lies behind the disk's end does not count
     * @throws DiskException as for {@link #clear}
     */
    default void mark(String name, long guestOffset, long length) throws DiskException {
        throw new UnsupportedFeatureException("this disk", GuestClause.QC_GUEST_01, "marks in bitmaps");
    }

    /**
     * Says what is dirty.
     *
     * @param name an existing one
     * @return ranges in ascending order, none of which touch
     * @throws DiskException as for {@link #clear}, but a read-only disk may be asked
     */
    List<Dirty> dirty(String name) throws DiskException;
}
