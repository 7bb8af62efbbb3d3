package dev.qcow2.conformance.bench;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;

/** Counts what an implementation asks of the host: figures that no noise can move. */
final class CountingHostFile extends ForwardingHostFile {

    /** Counts over all files of one run. */
    static final class Counts {
        private final LongAdder calls = new LongAdder();
        private final LongAdder bytesWritten = new LongAdder();

        /** Returns how many requests changed or read a file, or flushed it. */
        long calls() {
            return calls.sum();
        }

        /** Returns how many bytes were written. */
        long bytesWritten() {
            return bytesWritten.sum();
        }
    }

    private final Counts counts;

    CountingHostFile(HostFile target, Counts counts) {
        super(target);
        this.counts = counts;
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        counts.calls.increment();
        return super.read(hostOffset, into);
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        counts.calls.increment();
        counts.bytesWritten.add(from.remaining());
        super.write(hostOffset, from);
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        counts.calls.increment();
        return super.zero(hostOffset, length);
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        counts.calls.increment();
        return super.punchHole(hostOffset, length);
    }

    @Override
    public void truncate(long size) throws DiskException {
        counts.calls.increment();
        super.truncate(size);
    }

    @Override
    public void flush() throws DiskException {
        counts.calls.increment();
        super.flush();
    }
}
