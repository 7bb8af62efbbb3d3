package dev.qcow2.reference;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * How compressed clusters are packed: one way for the whole image, which the header's compression_type names (QC-HDR-28).
 * Both take memory in proportion to the cluster, whatever the stream says.
 */
enum Codec {
    /** Type 0: a raw deflate stream. */
    ZLIB {
        @Override
        boolean unpack(byte[] packed, byte[] cluster) {
            Inflater inflater = new Inflater(true);
            try {
                inflater.setInput(packed);
                int done = 0;
                // Each round gives a byte at least, or is the last one.
                while (done < cluster.length) {
                    int step = inflater.inflate(cluster, done, cluster.length - done);
                    if (step == 0) {
                        return false;
                    }
                    done += step;
                }
                return true;
            } catch (DataFormatException e) {
                return false;
            } finally {
                inflater.end();
            }
        }

        @Override
        byte[] pack(byte[] cluster) {
            Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
            try {
                deflater.setInput(cluster);
                deflater.finish();
                // What is longer than the cluster is of no use, and cut off here.
                byte[] packed = new byte[cluster.length];
                int length = deflater.deflate(packed);
                return Arrays.copyOf(packed, deflater.finished() ? length : cluster.length);
            } finally {
                deflater.end();
            }
        }
    },
    /** Type 1: zstandard frames; one of them when we write. */
    ZSTD {
        @Override
        boolean unpack(byte[] packed, byte[] cluster) {
            try {
                int from = 0;
                int done = 0;
                // QC-CMP-03: frame after frame; what follows in the last sector may belong to somebody else.
                while (done < cluster.length) {
                    long frame = Zstd.findFrameCompressedSize(packed, from, packed.length - from);
                    if (frame <= 0 || frame > packed.length - from) {
                        return false;
                    }
                    done += (int)
                            Zstd.decompressByteArray(cluster, done, cluster.length - done, packed, from, (int) frame);
                    from += (int) frame;
                }
                return true;
            } catch (ZstdException e) {
                return false;
            }
        }

        @Override
        byte[] pack(byte[] cluster) {
            return Zstd.compress(cluster);
        }
    };

    /** Returns the compression_type of a new image. */
    static int typeOf(Compression compression) {
        return switch (compression) {
            case ZLIB -> 0;
            case ZSTD -> 1;
        };
    }

    /** Returns the codec of an image. */
    static Codec of(Header header) {
        return values()[header.compressionType()];
    }

    /**
     * Fills a cluster from packed data that is followed by any bytes; says whether it could be filled as a whole. A deflate
     * stream that goes on after that is taken, as QEMU takes it.
     */
    abstract boolean unpack(byte[] packed, byte[] cluster);

    /** Packs a cluster; the result may be as long as the cluster or longer, and is of no use then. */
    abstract byte[] pack(byte[] cluster);
}
