package dev.qcow2.spec.model;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The bytes of a disk before the first request; they never change while a model reads them. */
public interface BaseContent {

    /**
     * Returns how many bytes there are; what lies beyond reads as zero.
     *
     * @return bytes, 0 or more
     */
    long size();

    /**
     * Reads bytes that lie inside {@link #size()}.
     *
     * @param guestOffset first byte to read
     * @param into is filled from its position to its limit
     * @throws IOException if the bytes can't be had
     */
    void read(long guestOffset, ByteBuffer into) throws IOException;

    /**
     * Reads bytes, and takes those past the end for zeros (QC-BACK-01).
     *
     * @param guestOffset first byte to read; may be past the end
     * @param into is filled from its position to its limit
     * @throws IOException if the bytes can't be had
     */
    default void readZeroPadded(long guestOffset, ByteBuffer into) throws IOException {
        int inside = (int) Math.max(0, Math.min(into.remaining(), size() - guestOffset));
        if (inside > 0) {
            ByteBuffer part = into.slice(into.position(), inside);
            read(guestOffset, part);
            into.position(into.position() + inside);
        }
        while (into.hasRemaining()) {
            into.put((byte) 0);
        }
    }

    /**
     * Returns a content without a byte, so that everything reads as zero.
     *
     * @return an empty content
     */
    static BaseContent empty() {
        return of(new byte[0]);
    }

    /**
     * Returns a content that is held in memory.
     *
     * @param bytes from first to last; not copied
     * @return a content of these bytes
     */
    static BaseContent of(byte[] bytes) {
        return new BaseContent() {
            @Override
            public long size() {
                return bytes.length;
            }

            @Override
            public void read(long guestOffset, ByteBuffer into) {
                into.put(bytes, Math.toIntExact(guestOffset), into.remaining());
            }
        };
    }
}
