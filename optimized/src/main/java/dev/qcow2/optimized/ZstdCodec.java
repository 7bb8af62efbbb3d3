package dev.qcow2.optimized;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;

/** Compression type 1: zstandard frames (QC-CMP-03). */
final class ZstdCodec implements StreamCodec {

    private final ZstdDecompressCtx decompressor = new ZstdDecompressCtx();
    private final ZstdCompressCtx compressor = new ZstdCompressCtx();

    @Override
    public boolean unpack(ByteBuffer stream, ByteBuffer cluster) {
        while (cluster.hasRemaining()) {
            if (!unpackFrame(stream, cluster)) {
                return false;
            }
        }
        return true;
    }

    private boolean unpackFrame(ByteBuffer stream, ByteBuffer cluster) {
        // Only the sector of the frame's end is known. The frame itself says how long it is; to know that first lets it
        // be
        // unpacked in one go, which takes no memory for the window that it claims to need.
        long length = Zstd.findDirectByteBufferFrameCompressedSize(stream, stream.position(), stream.remaining());
        if (Zstd.isError(length) || length <= 0 || length > stream.remaining()) {
            return false;
        }
        try {
            int unpacked = decompressor.decompressDirectByteBuffer(
                    cluster, cluster.position(), cluster.remaining(), stream, stream.position(), (int) length);
            cluster.position(cluster.position() + unpacked);
            stream.position(stream.position() + (int) length);
            return true;
        } catch (ZstdException e) {
            return false;
        }
    }

    @Override
    public boolean pack(ByteBuffer cluster, ByteBuffer stream) {
        try {
            int packed = compressor.compressDirectByteBuffer(
                    stream, stream.position(), stream.remaining(), cluster, cluster.position(), cluster.remaining());
            stream.position(stream.position() + packed);
            return true;
        } catch (ZstdException e) {
            // The room was not enough; nothing else can go wrong with valid buffers.
            return false;
        }
    }

    @Override
    public void close() {
        decompressor.close();
        compressor.close();
    }
}
