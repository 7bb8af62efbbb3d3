package dev.qcow2.reference;

import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/**
 * How often each host cluster is referred to, as somebody who walks all tables finds out (QC-REF-03). Memory grows with
 * what is referred to, never with what an image claims, and has a bound.
 */
final class Usage {

    /** What a host cluster is used for. One cluster serves one purpose (QC-REF-16). */
    enum Purpose {
        /** Header, tables, blocks, bitmaps: one reference, or as many as L1 entries name an L2 table. */
        STRUCTURE,
        /** A guest cluster. */
        DATA,
        /** Compressed data, of any number of guest clusters. */
        COMPRESSED
    }

    /** Clusters that are counted side by side. */
    static final int CHUNK = 256;

    /** About 300 MiB of counts; 4 TiB of 64 KiB clusters without a gap. */
    private static final int HIGHEST_CHUNKS = 1 << 18;

    /** Neighbours: how often each is referred to, and what for if it is. */
    private static final class Chunk {
        private final int[] counts = new int[CHUNK];
        private final Purpose[] purposes = new Purpose[CHUNK];
    }

    private final String fileName;
    private final TreeMap<Long, Chunk> chunks = new TreeMap<>();

    Usage(String fileName) {
        this.fileName = fileName;
    }

    /** Counts references. */
    void add(HostCluster host, long times, Purpose purpose) throws DiskException {
        long key = host.index() / CHUNK;
        Chunk chunk = chunks.get(key);
        if (chunk == null) {
            if (chunks.size() == HIGHEST_CHUNKS) {
                throw new RequestRefusedException(
                        fileName, LimitClause.QC_LIM_06, "its clusters are too many or too scattered to be counted");
            }
            chunk = new Chunk();
            chunks.put(key, chunk);
        }
        int place = placeOf(host);
        chunk.purposes[place] = purpose;
        chunk.counts[place] = (int) Math.min(Integer.MAX_VALUE, chunk.counts[place] + times);
    }

    /** Forgets what was counted for a cluster. */
    void forget(HostCluster host) {
        Chunk chunk = chunks.get(host.index() / CHUNK);
        if (chunk != null) {
            chunk.counts[placeOf(host)] = 0;
        }
    }

    long count(HostCluster host) {
        Chunk chunk = chunks.get(host.index() / CHUNK);
        return chunk == null ? 0 : chunk.counts[placeOf(host)];
    }

    /** Whether a cluster serves another purpose already; a structure shares its cluster with nothing. */
    boolean conflicts(HostCluster host, Purpose purpose) {
        Chunk chunk = chunks.get(host.index() / CHUNK);
        return chunk != null
                && chunk.counts[placeOf(host)] > 0
                && (purpose == Purpose.STRUCTURE || chunk.purposes[placeOf(host)] != purpose);
    }

    private static int placeOf(HostCluster host) {
        return (int) (host.index() % CHUNK);
    }

    /** The first cluster behind all that are referred to. */
    long end() {
        for (Map.Entry<Long, Chunk> entry : chunks.descendingMap().entrySet()) {
            for (int place = CHUNK - 1; place >= 0; place--) {
                if (entry.getValue().counts[place] > 0) {
                    return entry.getKey() * CHUNK + place + 1;
                }
            }
        }
        return 0;
    }

    /** The chunks in which something is counted, by {@code index / CHUNK}, in ascending order. */
    Collection<Long> chunkKeys() {
        return chunks.keySet();
    }
}
