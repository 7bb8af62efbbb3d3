package dev.qcow2.conformance.img;

import dev.qcow2.conformance.img.CopySource.Kind;
import dev.qcow2.conformance.img.CopySource.Part;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Copies what a source shows onto a disk. Workers read ahead while one thread writes in the source's order, so that the target's
 * clusters lie in that order, too; or workers write as they come, if the user permits it.
 */
final class DiskCopy {

    private static final int STEP = 2 << 20;
    private static final long NANOS = 1_000_000_000L;
    // So much is copied before it pays to start threads.
    private static final long ALONE = 4L * STEP;

    /**
     * How it is copied.
     *
     * @param compressed whether data is compressed
     * @param unit bytes that the target allocates at once, and that are written as a whole if there is data in them
     * @param targetIsZero whether the target reads as zero where nothing is written
     * @param minSparse bytes of zeros that are worth a gap; 0 to write all
     * @param salvage whether what can't be read becomes zeros
     * @param workers threads that read
     * @param outOfOrder whether they write, too
     * @param bytesPerSecond at most; 0 for no limit
     */
    record Manner(
            boolean compressed,
            int unit,
            boolean targetIsZero,
            long minSparse,
            boolean salvage,
            int workers,
            boolean outOfOrder,
            long bytesPerSecond) {}

    private record Chunk(long offset, Kind kind, long length) {

        long end() {
            return offset + length;
        }
    }

    private record Pending(Chunk chunk, Future<ByteBuffer> bytes) {}

    private final CopySource source;
    private final long dataBytes;
    private final ChunkWriter writer;
    private final Manner manner;
    private final ImgConsole console;
    private final ReadFailure failures;
    private final ImgProgress progress;
    private final BlockingQueue<ByteBuffer> buffers = new LinkedBlockingQueue<>();
    private final long startNanos = System.nanoTime();
    private long unlimitedBytes;
    private long shownBytes;

    DiskCopy(
            CopySource source,
            long dataBytes,
            VirtualDisk target,
            Manner manner,
            ImgConsole console,
            ImgProgress progress) {
        this.source = source;
        this.dataBytes = dataBytes;
        this.writer = new ChunkWriter(target, manner);
        this.manner = manner;
        this.console = console;
        this.failures = new ReadFailure(console);
        this.progress = progress;
    }

    /** Copies all. */
    void run() throws ToolException {
        long copied = 0;
        long at = 0;
        while (at < source.size() && copied < ALONE) {
            Chunk chunk = chunk(at);
            if (chunk.kind == Kind.DATA) {
                write(chunk, read(chunk));
                copied += chunk.length;
                show(chunk);
            } else {
                writeZeros(chunk);
            }
            at = chunk.end();
        }
        if (at < source.size()) {
            runWithWorkers(at);
        }
    }

    private void runWithWorkers(long from) throws ToolException {
        ExecutorService workers = Executors.newFixedThreadPool(manner.workers);
        Deque<Pending> pending = new ArrayDeque<>();
        try {
            for (long at = from; at < source.size(); ) {
                Chunk chunk = chunk(at);
                if (chunk.kind == Kind.DATA) {
                    pending.add(new Pending(chunk, workers.submit(() -> work(chunk))));
                } else {
                    writeZeros(chunk);
                }
                at = chunk.end();
                while (pending.size() > manner.workers) {
                    finish(pending.remove());
                }
            }
            while (!pending.isEmpty()) {
                finish(pending.remove());
            }
        } finally {
            workers.shutdownNow();
        }
    }

    private void show(Chunk chunk) {
        shownBytes += chunk.length;
        if (dataBytes > 0) {
            progress.show(Math.min(shownBytes, dataBytes), dataBytes);
        }
    }

    private ByteBuffer work(Chunk chunk) throws ToolException {
        ByteBuffer bytes = read(chunk);
        if (manner.outOfOrder) {
            write(chunk, bytes);
        }
        return bytes;
    }

    private void finish(Pending oldest) throws ToolException {
        try {
            ByteBuffer bytes = oldest.bytes.get();
            if (!manner.outOfOrder) {
                write(oldest.chunk, bytes);
            }
            show(oldest.chunk);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", 1, e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ToolException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Cuts off the next piece of work. */
    private Chunk chunk(long at) throws ToolException {
        Part part = part(at);
        Kind kind = part.kind() == Kind.ZERO && manner.minSparse == 0 ? Kind.DATA : part.kind();
        long length = part.end() - at;
        // A piece is made of whole units: one of which a part is data is data.
        if (length < manner.unit && part.end() != source.size()) {
            return new Chunk(at, Kind.DATA, Math.min(manner.unit, source.size() - at));
        }
        length -= part.end() == source.size() ? 0 : length % manner.unit;
        if (kind == Kind.DATA) {
            // A piece ends at a round offset, so that a run of zeros is not cut where it need not be.
            length = Math.min(length, STEP - at % STEP);
        }
        return new Chunk(at, kind, length);
    }

    private Part part(long at) throws ToolException {
        try {
            return source.at(at);
        } catch (DiskException e) {
            String message = "error while reading block status at offset " + at + ": " + failures.words(e);
            if (!manner.salvage) {
                throw new ToolException(message, 1, e);
            }
            console.warning(message);
            return new Part(Kind.DATA, at + Sectors.BYTES);
        }
    }

    private ByteBuffer read(Chunk chunk) throws ToolException {
        ByteBuffer bytes = buffers.poll();
        if (bytes == null) {
            bytes = ByteBuffer.allocateDirect(STEP);
        }
        bytes.clear().limit((int) chunk.length);
        try {
            source.read(chunk.offset, bytes);
        } catch (DiskException e) {
            if (!manner.salvage) {
                throw new ToolException("error while reading at byte " + chunk.offset + ": " + failures.words(e), 1, e);
            }
            salvage(chunk, bytes);
        }
        return bytes.flip();
    }

    /** Reads sector by sector, and takes those that can't be read for zeros. */
    private void salvage(Chunk chunk, ByteBuffer bytes) {
        for (int done = 0; done < chunk.length; done += Sectors.BYTES) {
            bytes.clear()
                    .limit((int) Math.min(chunk.length, done + Sectors.BYTES))
                    .position(done);
            try {
                source.read(chunk.offset + done, bytes);
            } catch (DiskException e) {
                console.warning("error while reading offset " + (chunk.offset + done) + ": " + failures.words(e));
                bytes.position(done);
                Sectors.putZeros(bytes);
            }
        }
        bytes.limit((int) chunk.length);
    }

    private void write(Chunk chunk, ByteBuffer bytes) throws ToolException {
        limitRate(chunk.length);
        try {
            writer.write(chunk.offset, bytes);
        } catch (DiskException e) {
            throw notWritten(chunk, e);
        } finally {
            buffers.add(bytes);
        }
    }

    private void writeZeros(Chunk chunk) throws ToolException {
        if (chunk.kind != Kind.ZERO) {
            return;
        }
        try {
            writer.zero(chunk.offset, chunk.length);
        } catch (DiskException e) {
            throw notWritten(chunk, e);
        }
    }

    private ToolException notWritten(Chunk chunk, DiskException failure) {
        return new ToolException(
                "error while writing at byte " + chunk.offset + ": " + failures.words(failure), 1, failure);
    }

    private synchronized void limitRate(long bytes) throws ToolException {
        if (manner.bytesPerSecond == 0) {
            return;
        }
        unlimitedBytes += bytes;
        long due = startNanos + (long) ((double) unlimitedBytes / manner.bytesPerSecond * NANOS);
        try {
            long wait = (due - System.nanoTime()) / 1_000_000;
            if (wait > 0) {
                Thread.sleep(wait);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", 1, e);
        }
    }
}
