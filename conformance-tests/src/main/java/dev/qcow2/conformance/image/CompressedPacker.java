package dev.qcow2.conformance.image;

import com.github.luben.zstd.Zstd;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;

/** Puts compressed clusters into a file, one right behind the other as far as counts permit (QC-CMP-04, QC-CMP-07). */
final class CompressedPacker {

    private static final long COMPRESSED = 1L << 62;
    private static final long COPIED = 1L << 63;
    private static final int SECTOR_BITS = 9;
    /** No reference of a stream may reach further back than this, for readers have so small a window. */
    private static final int WINDOW = 4096;

    private final Layer layer;
    private final List<Integer> counts;
    private final HostFile file;
    private final int clusterSize;
    private long next;

    /**
     * Makes a packer.
     *
     * @param counts one for each host cluster; grows at its end
     */
    CompressedPacker(Layer layer, List<Integer> counts, HostFile file) {
        this.layer = layer;
        this.counts = counts;
        this.file = file;
        this.clusterSize = layer.clusterSize();
    }

    /** Stores a cluster, and returns its L2 entry: a standard one if it does not get smaller (QC-CMP-13). */
    long pack(ByteBuffer data, int references) throws DiskException {
        byte[] bytes = new byte[data.remaining()];
        data.duplicate().get(bytes);
        byte[] packed = compress(bytes);
        if (packed.length >= clusterSize) {
            long offset = allocate();
            counts.set((int) (offset / clusterSize), references);
            file.write(offset, data);
            return references == 1 ? offset | COPIED : offset;
        }
        long offset = place(packed.length, references);
        file.write(offset, ByteBuffer.wrap(packed));
        long last = offset + packed.length - 1;
        for (long cluster = offset / clusterSize; cluster <= last / clusterSize; cluster++) {
            counts.set((int) cluster, counts.get((int) cluster) + references);
        }
        next = last + 1;
        long sectors = (last >>> SECTOR_BITS) - (offset >>> SECTOR_BITS);
        return COMPRESSED | sectors << (62 - (layer.clusterBits() - 8)) | offset;
    }

    /** Behind the last one, if that cluster has room and its count too; in a new cluster otherwise. */
    private long place(int length, int references) {
        boolean open = next % clusterSize != 0;
        boolean fits = next % clusterSize + length <= clusterSize;
        boolean atEnd = next / clusterSize == counts.size() - 1L;
        if (open && (fits || atEnd) && counts.get((int) (next / clusterSize)) + references <= most()) {
            if (!fits) {
                allocate();
            }
            return next;
        }
        return allocate();
    }

    private long most() {
        return layer.refcountOrder() >= 5 ? Integer.MAX_VALUE : (1L << (1 << layer.refcountOrder())) - 1;
    }

    private long allocate() {
        counts.add(0);
        return (counts.size() - 1L) * clusterSize;
    }

    private byte[] compress(byte[] data) {
        return layer.features().compression() == Compression.ZSTD ? Zstd.compress(data) : deflate(data);
    }

    private static byte[] deflate(byte[] data) {
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
        byte[] packed = new byte[2 * data.length + 1000];
        int length = 0;
        for (int at = 0; at < data.length; at += WINDOW) {
            deflater.setInput(data, at, Math.min(WINDOW, data.length - at));
            boolean last = at + WINDOW >= data.length;
            if (last) {
                deflater.finish();
            }
            // A full flush makes the stream forget what was before.
            length += deflater.deflate(
                    packed, length, packed.length - length, last ? Deflater.NO_FLUSH : Deflater.FULL_FLUSH);
        }
        deflater.end();
        return Arrays.copyOf(packed, length);
    }
}
