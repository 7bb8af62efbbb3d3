package dev.qcow2.optimized;

import java.nio.ByteBuffer;

/** Packs a cluster into a stream and back; for one thread at a time, and used again and again. Buffers are direct ones. */
interface StreamCodec extends AutoCloseable {

    /**
     * Unpacks a stream until a cluster is full.
     *
     * @param stream from position to limit, with anything behind the stream; where it ends up is undefined
     * @param cluster from position to limit: what is to be filled, and the bound of what is written
     * @return false if the stream is broken or yields less
     */
    boolean unpack(ByteBuffer stream, ByteBuffer cluster);

    /**
     * Packs a cluster.
     *
     * @param cluster from position to limit; left as it is
     * @param stream the packed bytes go from its position to at most its limit; its position is moved behind them
     * @return false if there is not enough room
     */
    boolean pack(ByteBuffer cluster, ByteBuffer stream);

    /** Gives up what lives outside the heap. */
    @Override
    void close();
}
