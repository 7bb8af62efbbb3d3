package dev.qcow2.optimized;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Compression type 0: a raw deflate stream, without any header or checksum (QC-CMP-02). */
final class DeflateCodec implements StreamCodec {

    private final Inflater inflater = new Inflater(true);
    private final Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);

    @Override
    public boolean unpack(ByteBuffer stream, ByteBuffer cluster) {
        inflater.reset();
        inflater.setInput(stream);
        try {
            // QC-CMP-06: what follows a full cluster does not matter. Only the sector of the stream's end is known.
            int unpacked;
            do {
                unpacked = inflater.inflate(cluster);
            } while (unpacked > 0 && cluster.hasRemaining());
        } catch (DataFormatException e) {
            return false;
        }
        return !cluster.hasRemaining();
    }

    @Override
    public boolean pack(ByteBuffer cluster, ByteBuffer stream) {
        deflater.reset();
        deflater.setInput(cluster.duplicate());
        deflater.finish();
        while (!deflater.finished() && stream.hasRemaining()) {
            deflater.deflate(stream);
        }
        return deflater.finished();
    }

    @Override
    public void close() {
        inflater.end();
        deflater.end();
    }
}
