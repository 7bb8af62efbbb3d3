package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** A host file with the few shapes of access that the mutant needs; numbers are big-endian (QC-HDR-03). */
final class MutantFile {

    private final HostFile file;
    private boolean held;

    MutantFile(HostFile file) {
        this.file = file;
    }

    HostFile host() {
        return file;
    }

    byte[] bytes(long offset, int length) throws DiskException {
        byte[] bytes = new byte[length];
        file.readZeroPadded(offset, ByteBuffer.wrap(bytes));
        return bytes;
    }

    ByteBuffer buffer(long offset, int length) throws DiskException {
        return ByteBuffer.wrap(bytes(offset, length));
    }

    long number(long offset) throws DiskException {
        return buffer(offset, 8).getLong();
    }

    void put(long offset, byte[] bytes) throws DiskException {
        file.write(offset, ByteBuffer.wrap(bytes));
    }

    void putNumber(long offset, long value) throws DiskException {
        file.write(offset, ByteBuffer.allocate(8).putLong(value).flip());
    }

    /** Writes a 32-bit and a 64-bit field that stand side by side, in one write so that no cut separates them. */
    void putPair(long offset, ByteBuffer pair) throws DiskException {
        file.write(offset, pair);
    }

    void numbers(long offset, long[] values) throws DiskException {
        ByteBuffer out = ByteBuffer.allocate(values.length * 8);
        for (long value : values) {
            out.putLong(value);
        }
        file.write(offset, out.flip());
    }

    long[] numbers(long offset, int count) throws DiskException {
        long[] values = new long[count];
        buffer(offset, count * 8).asLongBuffer().get(values);
        return values;
    }

    void flush() throws DiskException {
        if (!held) {
            file.flush();
        }
    }

    /** Who errs in the order of writes leaves flushes out for a while. */
    void holdFlushes(boolean hold) {
        held = hold;
    }
}
