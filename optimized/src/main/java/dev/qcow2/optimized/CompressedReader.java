package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.CompressionClause.QC_CMP_12;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * Reads compressed clusters. What an image can make us do is bounded (QC-LIM-10): we read the descriptor's sectors, at most two
 * clusters, and write one cluster at most, whatever the stream says.
 */
final class CompressedReader {

    private final HostFile host;
    private final int clusterBits;
    private final CodecPool codecs;
    private final ClusterCache cache;

    CompressedReader(HostFile host, ImageHeader header, OptimizedOptions options) {
        this.host = host;
        this.clusterBits = header.clusterBits();
        this.codecs = new CodecPool(header.compression(), 1 << clusterBits);
        this.cache = new ClusterCache(1 << clusterBits, options.cacheDecompressed());
    }

    CodecPool codecs() {
        return codecs;
    }

    ClusterCache cache() {
        return cache;
    }

    /**
     * Reads from a compressed cluster.
     *
     * @param entry its L2 entry, checked
     * @param inCluster first byte
     * @param into is filled; not more than to the cluster's end
     */
    void read(long entry, int inCluster, ByteBuffer into) throws DiskException {
        if (cache.read(entry, inCluster, into)) {
            return;
        }
        CodecPool.Worker worker = codecs.take();
        try {
            unpack(entry, worker);
            if (into.remaining() < worker.cluster.capacity()) {
                cache.keep(entry, worker.cluster);
            }
            worker.cluster.limit(inCluster + into.remaining()).position(inCluster);
            into.put(worker.cluster);
        } finally {
            codecs.giveBack(worker);
        }
    }

    private void unpack(long entry, CodecPool.Worker worker) throws DiskException {
        long offset = CompressedBits.offset(entry, clusterBits);
        int length = CompressedBits.length(entry, clusterBits);
        worker.stream.clear().limit(length);
        // QC-CMP-15: the file may end inside the last sector.
        host.readZeroPadded(offset, worker.stream);
        worker.stream.flip();
        if (!worker.codec.unpack(worker.stream, worker.cluster.clear())) {
            throw new CorruptImageException(
                    host.name(),
                    QC_CMP_12,
                    offset,
                    "a broken stream",
                    "a stream that gives " + (1 << clusterBits) + " bytes");
        }
        worker.cluster.flip();
    }

    void close() {
        codecs.close();
    }
}
