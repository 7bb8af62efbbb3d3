package dev.qcow2.optimized;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A piece of a table in memory: of an L2 table, a refcount block, the L1 table or the refcount table. Guarded by the
 * image's metadata lock.
 */
final class Slice {

    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN); // QC-HDR-03

    final byte[] bytes;
    final ByteBuffer view;

    /** Where the piece is in the file. */
    long hostOffset;

    /** It differs from the file, and no checkpoint has taken it yet. */
    boolean dirty;

    /** A checkpoint is writing a copy of it: it must not be evicted, for the file still has the old bytes. */
    boolean writing;

    /** Used since the eviction hand passed by. */
    boolean used;

    @Nullable
    Slice nextInBucket;

    Slice(int length) {
        bytes = new byte[length];
        view = ByteBuffer.wrap(bytes);
    }

    long get(int index) {
        return (long) LONGS.get(bytes, index << 3);
    }

    void set(int index, long value) {
        LONGS.set(bytes, index << 3, value);
    }
}
