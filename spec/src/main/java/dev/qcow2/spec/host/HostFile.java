package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * An open file of the host.
 *
 * <p>All offsets are host offsets in bytes, 0 or more; lengths are in bytes. Requests may come from
 * several threads; those that overlap in range and time take effect in some order. What was written
 * is visible to every later read at once, and survives a power cut after the next {@link #flush()}:
 * until then any part of it may be lost, in any order.
 */
public interface HostFile extends AutoCloseable {

    /**
     * Returns the name for messages.
     *
     * @return the name under which the file was opened
     */
    String name();

    /**
     * Returns the length of the file.
     *
     * @return bytes
     * @throws DiskException if the host fails
     */
    long size() throws DiskException;

    /**
     * Reads bytes. Stops early only at the end of the file.
     *
     * @param hostOffset first byte to read; may be past the end
     * @param into is filled from its position; the position moves by the bytes read
     * @return bytes read, from 0 to what was remaining
     * @throws DiskException if the host fails
     */
    int read(long hostOffset, ByteBuffer into) throws DiskException;

    /**
     * Reads bytes, and takes those past the end of the file for zeros.
     *
     * @param hostOffset first byte to read; may be past the end
     * @param into is filled from its position to its limit
     * @throws DiskException if the host fails
     */
    default void readZeroPadded(long hostOffset, ByteBuffer into) throws DiskException {
        read(hostOffset, into);
        while (into.hasRemaining()) {
            into.put((byte) 0);
        }
    }

    /**
     * Writes bytes. The file grows as needed; a gap between its old end and the first byte reads as
     * zero.
     *
     * @param hostOffset first byte to write
     * @param from is consumed from its position to its limit
     * @throws DiskException if the host fails; any part of the range may then be written
     */
    void write(long hostOffset, ByteBuffer from) throws DiskException;

    /**
     * Makes a range read as zero without writing zeros, or says no.
     *
     * <p>The file grows if the range passes its end. Space may be kept or freed, as the host likes.
     *
     * @param hostOffset first byte to zero
     * @param length bytes, more than 0
     * @return true if the whole range now reads as zero; false if the host can't do it efficiently,
     *     and then nothing has changed
     * @throws DiskException if the host tried and failed
     */
    boolean zero(long hostOffset, long length) throws DiskException;

    /**
     * Gives the space of a range back to the host, or says no. The file's length stays; if the
     * answer is true the part of the range inside the file now reads as zero.
     *
     * @param hostOffset first byte of the range
     * @param length bytes, more than 0
     * @return false if the host can't do it, and then nothing has changed
     * @throws DiskException if the host tried and failed
     */
    boolean punchHole(long hostOffset, long length) throws DiskException;

    /**
     * Says whether the host stores anything for the run of bytes that begins at an offset. What it does not know counts as data.
     *
     * @param hostOffset first byte of the run, inside the file
     * @return a hole or data, with an end behind the offset and not behind the file's
     * @throws DiskException if the host fails
     */
    default HostExtent extent(long hostOffset) throws DiskException {
        return new HostExtent(false, size());
    }

    /**
     * Says how much space the file takes on its device, which may be less than its length, or more.
     *
     * @return bytes; empty if the host does not say
     * @throws DiskException if the host fails
     */
    default OptionalLong allocatedBytes() throws DiskException {
        return OptionalLong.empty();
    }

    /**
     * Sets the length of the file. What is cut off is gone; what is added reads as zero. The caller
     * sees to it that no other change is under way.
     *
     * @param size bytes
     * @throws DiskException if the host fails
     */
    void truncate(long size) throws DiskException;

    /**
     * Waits until everything that was written before the call would survive a power cut.
     *
     * @throws DiskException if the host fails; then nothing is known of the writes since the last
     *     flush that succeeded
     */
    void flush() throws DiskException;

    /**
     * Gives the file up without flushing. A second call does nothing.
     *
     * @throws DiskException if the host fails
     */
    @Override
    void close() throws DiskException;
}
