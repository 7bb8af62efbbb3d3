package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * An external data file: guest clusters at the guest's own offsets, without counts (QC-DATA-01 to 03). A raw one holds the
 * disk's bytes at all times, so that others can read it without the image (QC-DATA-09).
 */
final class DataFile {

    private static final int ZERO_STEP = 1 << 16;

    private final HostFile host;
    private final boolean raw;

    DataFile(HostFile host, boolean raw) {
        this.host = host;
        this.raw = raw;
    }

    HostFile host() {
        return host;
    }

    /**
     * Does to the file what makes a range of the disk read as zero, before an entry says so. In a raw file the bytes become
     * zero; in any other one the host may have their space. A byte that is old now reads as zero in any case when the
     * request is over, so a failure or a power cut in between shows nothing but old bytes and zeros.
     *
     * @param offset first byte
     * @param length bytes, more than 0, inside the disk
     * @param unmap whether the host may have the space
     */
    void zero(long offset, long length, boolean unmap) throws DiskException {
        boolean done = unmap && host.punchHole(offset, length);
        if (raw && !done && !host.zero(offset, length)) {
            writeZeros(offset, length);
        }
    }

    /** Makes zero what the file holds behind the disk's end, from another time or another program: the disk grows over it. */
    void clean(long from, long to) throws DiskException {
        long end = Math.min(to, host.size());
        if (from < end && !host.zero(from, end - from)) {
            writeZeros(from, end - from);
        }
    }

    boolean raw() {
        return raw;
    }

    private void writeZeros(long offset, long length) throws DiskException {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(length, ZERO_STEP));
        for (long done = 0; done < length; done += zeros.capacity()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), length - done));
            host.write(offset + done, zeros);
        }
    }
}
