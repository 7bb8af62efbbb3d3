package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/** An image below another one in a chain of backing files: read-only. */
interface Layer {

    /** Bytes that it covers. */
    long size();

    /** Reads bytes inside {@link #size()}. */
    void read(long offset, ByteBuffer into) throws DiskException;

    /**
     * Says whether metadata alone tells that a range inside {@link #size()} reads as zero, at any depth. The scratch holds
     * nothing afterwards.
     */
    boolean readsAsZero(long offset, long length, Run scratch) throws DiskException;

    /** Adds what is known of a range inside {@link #size()}. */
    void status(long offset, long length, int depth, StatusCollector into) throws DiskException;

    /** Adds where a range inside {@link #mappedSize()} is on the host. */
    void map(long offset, long length, int depth, MapCollector into) throws DiskException;

    /** Bytes that a map counts as covered: those of a last sector, too. */
    default long mappedSize() {
        return size();
    }

    /** Gives up the file and those below. */
    void close() throws DiskException;

    /** Reads from a layer that may be shorter: beyond its end are zeros (QC-BACK-01). */
    static void readPadded(Layer layer, long offset, ByteBuffer into) throws DiskException {
        int limit = into.limit();
        long covered = Math.min(into.remaining(), Math.max(0, layer.size() - offset));
        if (covered > 0) {
            into.limit(into.position() + (int) covered);
            try {
                layer.read(offset, into);
            } finally {
                into.limit(limit);
            }
        }
        Zeros.fill(into, into.remaining());
    }

    /** As {@link #readsAsZero}, for a range that may lie beyond the end in part. */
    static boolean readsAsZeroPadded(Layer layer, long offset, long length, Run scratch) throws DiskException {
        long covered = Math.min(length, layer.size() - offset);
        return covered <= 0 || layer.readsAsZero(offset, covered, scratch);
    }
}
