package dev.qcow2.optimized;

import dev.qcow2.spec.disk.FormatFeatures.Compression;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** Codecs with their buffers, kept for the next request that meets compressed data, so that it makes no objects. */
final class CodecPool {

    private static final int KEPT = 4;

    private final Compression compression;
    private final int clusterSize;
    private final ArrayDeque<Worker> idle = new ArrayDeque<>();
    private boolean closed;

    CodecPool(Compression compression, int clusterSize) {
        this.compression = compression;
        this.clusterSize = clusterSize;
    }

    /** A codec, room for a cluster, and room for the longest stream that a descriptor can name. */
    static final class Worker {
        final StreamCodec codec;
        final ByteBuffer cluster;
        final ByteBuffer stream;

        private Worker(StreamCodec codec, int clusterSize) {
            this.codec = codec;
            this.cluster = ByteBuffer.allocateDirect(clusterSize);
            this.stream = ByteBuffer.allocateDirect(2 * clusterSize);
        }
    }

    /** Returns a worker that nobody else has. */
    synchronized Worker take() {
        Worker worker = idle.poll();
        return worker == null ? new Worker(newCodec(), clusterSize) : worker;
    }

    /** Takes a worker back. */
    synchronized void giveBack(Worker worker) {
        if (closed || idle.size() >= KEPT) {
            worker.codec.close();
        } else {
            idle.push(worker);
        }
    }

    /** Gives up what lives outside the heap. */
    synchronized void close() {
        closed = true;
        idle.forEach(worker -> worker.codec.close());
        idle.clear();
    }

    private StreamCodec newCodec() {
        // QC-HDR-28
        return switch (compression) {
            case ZLIB -> new DeflateCodec();
            case ZSTD -> new ZstdCodec();
        };
    }
}
