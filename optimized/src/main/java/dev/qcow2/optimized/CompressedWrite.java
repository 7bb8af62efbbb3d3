package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.CompressionClause.QC_CMP_09;
import static dev.qcow2.spec.clause.CompressionClause.QC_CMP_16;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;

/**
 * Writes clusters in compressed form. They are packed into a buffer one behind the other without any lock; then, as in
 * every write, ALLOCATE under the metadata lock, the data without it, LINK under the lock again. Streams that came to lie
 * behind each other are one host write.
 */
final class CompressedWrite {

    private static final int STAGING_BYTES = 1 << 20;
    private static final int MOST_STREAMS = 256;

    private final Image image;
    private final WritePath writes;
    private final MappingTables mapping;
    private final int clusterBits;
    private final int clusterSize;

    CompressedWrite(Image image, WritePath writes) {
        this.image = image;
        this.writes = writes;
        this.mapping = image.mapping();
        this.clusterBits = image.clusterBits();
        this.clusterSize = 1 << clusterBits;
    }

    /** Streams on their way: the n-th belongs to the n-th guest cluster from the first one. */
    private static final class Batch {
        final long firstCluster;
        final ByteBuffer staging;
        final int[] lengths = new int[MOST_STREAMS];
        final long[] offsets = new long[MOST_STREAMS];
        int packed;
        int placed;

        Batch(long firstCluster, ByteBuffer staging) {
            this.firstCluster = firstCluster;
            this.staging = staging;
        }
    }

    void write(long offset, ByteBuffer from) throws DiskException {
        long end = offset + from.remaining();
        if ((offset & (clusterSize - 1)) != 0 || ((end & (clusterSize - 1)) != 0 && end != image.size())) {
            throw new RequestRefusedException(
                    image.host().name(), QC_CMP_09, "compressed data that is not made of whole clusters");
        }
        if (mapping.dataFile() || image.guestData().encrypted()) {
            throw new RequestRefusedException(
                    image.host().name(),
                    QC_CMP_16,
                    "compressed data next to an external data file or to encrypted data");
        }
        image.relieve();
        Request request = writes.beginWhole(offset, end);
        CodecPool.Worker worker = image.compressed().codecs().take();
        ByteBuffer staging = image.buffers().take(Math.max(STAGING_BYTES, clusterSize));
        try {
            image.mark(offset, from.remaining());
            long at = offset;
            while (from.hasRemaining()) {
                at += writeSome(request, at, from, worker, staging);
            }
        } finally {
            image.buffers().giveBack(staging);
            image.compressed().codecs().giveBack(worker);
            image.requests().leave(request);
        }
        image.finishChange();
    }

    /** Packs and writes as many clusters as one slice maps and the buffer holds; or one that can't be packed, as it is. */
    private int writeSome(Request request, long at, ByteBuffer from, CodecPool.Worker worker, ByteBuffer staging)
            throws DiskException {
        image.relieve();
        Batch batch = new Batch(at >>> clusterBits, staging);
        int start = from.position();
        pack(batch, from, worker);
        if (batch.packed > 0 && place(batch)) {
            writeAndLink(batch);
        } else {
            int length = Math.min(clusterSize, from.limit() - start);
            int limit = from.limit();
            from.limit(start + length).position(start);
            writes.writeClaimed(request, at, from);
            from.limit(limit);
        }
        return from.position() - start;
    }

    private void pack(Batch batch, ByteBuffer from, CodecPool.Worker worker) {
        // QC-CMP-13: a stream must save a sector; so where a cluster is one, it is stored as it is.
        int most = clusterSize - 512;
        int clusters = Math.min(MOST_STREAMS, mapping.leftInSlice(batch.firstCluster));
        ByteBuffer staging = batch.staging.clear();
        while (from.hasRemaining() && batch.packed < clusters && staging.remaining() >= most) {
            int length = Math.min(clusterSize, from.remaining());
            worker.cluster.clear();
            worker.cluster.put(from.duplicate().limit(from.position() + length));
            // QC-CMP-14: the last cluster of a disk that ends inside it is filled up with zeros.
            Zeros.fill(worker.cluster, clusterSize - length);
            int start = staging.position();
            staging.limit(start + most);
            boolean fits = worker.codec.pack(worker.cluster.flip(), staging);
            staging.limit(staging.capacity());
            if (!fits) {
                staging.position(start);
                break;
            }
            from.position(from.position() + length);
            batch.lengths[batch.packed++] = staging.position() - start;
        }
        staging.flip();
    }

    /** ALLOCATE; false if the descriptors have no room for offsets so high. */
    private boolean place(Batch batch) throws DiskException {
        while (true) {
            image.metadata().lock();
            try {
                image.health().require();
                image.warm(batch.firstCluster);
                // One cluster for each stream at most, and the L2 table.
                if (mapping.reaches(batch.firstCluster) && image.allocator().hasRoomFor(batch.packed + 1L)) {
                    return reserve(batch);
                }
            } finally {
                image.metadata().unlock();
            }
            writes.growth().grow(batch.firstCluster, batch.packed);
        }
    }

    private boolean reserve(Batch batch) throws DiskException {
        boolean fits = true;
        boolean complete = false;
        try {
            mapping.writable(
                    batch.firstCluster, image.allocator(), image.checkpoint().frees());
            while (fits && batch.placed < batch.packed) {
                int length = batch.lengths[batch.placed];
                long offset = image.packSpace().reserve(length);
                batch.offsets[batch.placed++] = offset;
                fits = CompressedBits.fits(offset, length, clusterBits);
            }
            complete = fits;
        } finally {
            if (!complete) {
                release(batch);
            }
        }
        return fits;
    }

    private void writeAndLink(Batch batch) throws DiskException {
        boolean linked = false;
        try {
            writeStreams(batch);
            link(batch);
            linked = true;
        } finally {
            if (!linked) {
                release(batch);
            }
        }
    }

    private void writeStreams(Batch batch) throws DiskException {
        ByteBuffer staging = batch.staging;
        int end = 0;
        for (int i = 0; i < batch.packed; ) {
            long offset = batch.offsets[i];
            int start = end;
            do {
                end += batch.lengths[i++];
            } while (i < batch.packed && batch.offsets[i] == offset + (end - start));
            staging.limit(end).position(start);
            image.host().write(offset, staging);
        }
    }

    private void link(Batch batch) throws DiskException {
        image.metadata().lock();
        try {
            PendingFrees frees = image.checkpoint().frees();
            Slice slice = mapping.writable(batch.firstCluster, image.allocator(), frees);
            mapping.requireDroppable(slice, batch.firstCluster, batch.packed);
            for (int i = 0; i < batch.packed; i++) {
                long entry = CompressedBits.entry(batch.offsets[i], batch.lengths[i], clusterBits);
                image.compressed().cache().forget(entry);
                long cluster = batch.firstCluster + i;
                mapping.drop(mapping.rawEntry(slice, cluster), frees);
                // QC-L2-13: the stream is in the file; the checkpoint flushes it before it writes this entry.
                mapping.put(slice, cluster, entry, 0);
            }
            mapping.slices().markDirty(slice);
            image.noteChange();
        } finally {
            image.metadata().unlock();
        }
    }

    /** Gives back what no entry names. */
    private void release(Batch batch) throws DiskException {
        image.metadata().lock();
        try {
            image.packSpace().close();
            for (int i = 0; i < batch.placed; i++) {
                long end = batch.offsets[i] + batch.lengths[i];
                for (long cluster = batch.offsets[i] >>> clusterBits; cluster <= (end - 1) >>> clusterBits; cluster++) {
                    image.allocator().lower(cluster);
                }
            }
            batch.placed = 0;
        } finally {
            image.metadata().unlock();
        }
    }
}
