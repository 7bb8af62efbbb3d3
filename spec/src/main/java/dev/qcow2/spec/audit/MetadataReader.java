package dev.qcow2.spec.audit;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Reads metadata, and stops when an image makes it read too much. */
final class MetadataReader {

    /** A 64-bit number, most significant byte first (QC-HDR-03). */
    static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final HostFile file;
    private final long fileSize;
    private long allowance;

    MetadataReader(HostFile file, long fileSize, long allowance) {
        this.file = file;
        this.fileSize = fileSize;
        this.allowance = allowance;
    }

    long fileSize() {
        return fileSize;
    }

    String fileName() {
        return file.name();
    }

    /** Reads bytes; those past the end of the file are zeros. */
    void read(long hostOffset, byte[] into, int length) throws DiskException, LimitReachedException {
        if (hostOffset < 0 || hostOffset >= fileSize) {
            Arrays.fill(into, 0, length, (byte) 0);
            return;
        }
        allowance -= length;
        if (allowance < 0) {
            throw new LimitReachedException("more metadata to read than the audit may");
        }
        file.readZeroPadded(hostOffset, ByteBuffer.wrap(into, 0, length));
    }
}
