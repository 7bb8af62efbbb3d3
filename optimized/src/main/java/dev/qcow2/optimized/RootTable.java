package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A table that the header names, of 64-bit entries: the L1 table or the refcount table. It stays in memory as far as it
 * was touched, for it is small: its size is bounded when the image is opened (QC-LIM-02, QC-LIM-03). Guarded by the
 * image's metadata lock.
 */
final class RootTable {

    private static final int CHUNK_BITS = 9;
    private static final int CHUNK_ENTRIES = 1 << CHUNK_BITS;
    private static final int SCAN_ENTRIES = 1 << 13;

    private final HostFile host;
    private final long hostOffset;
    private final int entries;
    private final @Nullable Slice[] chunks;
    private List<Slice> dirty = new ArrayList<>();
    private List<Slice> spare = new ArrayList<>();
    private @Nullable NamedClusters named;

    RootTable(HostFile host, long hostOffset, int entries) {
        this.host = host;
        this.hostOffset = hostOffset;
        this.entries = entries;
        this.chunks = new @Nullable Slice[(entries + CHUNK_ENTRIES - 1) >>> CHUNK_BITS];
    }

    long hostOffset() {
        return hostOffset;
    }

    int entries() {
        return entries;
    }

    long entryOffset(int index) {
        return hostOffset + 8L * index;
    }

    long get(int index) throws DiskException {
        return chunk(index).get(index & (CHUNK_ENTRIES - 1));
    }

    void set(int index, long value) throws DiskException {
        Slice chunk = chunk(index);
        if (named != null) {
            named.replaced(chunk.get(index & (CHUNK_ENTRIES - 1)), value);
        }
        chunk.set(index & (CHUNK_ENTRIES - 1), value);
        markDirty(chunk);
    }

    /** Which clusters the entries name; the whole table is read when this is asked for the first time. */
    NamedClusters named(int clusterBits) throws DiskException {
        if (named == null) {
            named = new NamedClusters(this, clusterBits);
        }
        return named;
    }

    /** Hears of an entry that is not 0. */
    interface Visitor {
        /** Hears of it. */
        void visit(int index, long entry);
    }

    /** Visits the entries that are not 0. What is not in memory is read piece by piece, and does not stay there. */
    void forEachUsed(Visitor visitor) throws DiskException {
        Slice scratch = null;
        int number = 0;
        while (number < chunks.length) {
            Slice chunk = chunks[number];
            int last = number + 1;
            if (chunk == null) {
                while (last < chunks.length && chunks[last] == null && last - number < SCAN_ENTRIES >>> CHUNK_BITS) {
                    last++;
                }
                chunk = scratch == null ? new Slice(8 * Math.min(SCAN_ENTRIES, entries)) : scratch;
                scratch = chunk;
                int length = Math.min(entries, last << CHUNK_BITS) - (number << CHUNK_BITS);
                host.readZeroPadded(
                        entryOffset(number << CHUNK_BITS), chunk.view.clear().limit(8 * length));
            }
            visit(chunk, number << CHUNK_BITS, Math.min(entries, last << CHUNK_BITS), visitor);
            number = last;
        }
    }

    private static void visit(Slice chunk, int first, int end, Visitor visitor) {
        for (int index = first; index < end; index++) {
            long entry = chunk.get(index - first);
            if (entry != 0) {
                visitor.visit(index, entry);
            }
        }
    }

    void markDirty(Slice chunk) {
        if (!chunk.dirty) {
            chunk.dirty = true;
            dirty.add(chunk);
        }
    }

    boolean hasDirty() {
        return !dirty.isEmpty();
    }

    /** Hands the dirty pieces over to a checkpoint; what is changed from now on is dirty anew. */
    List<Slice> takeDirty() {
        List<Slice> taken = dirty;
        dirty = spare;
        spare = taken;
        return taken;
    }

    /** Puts this table's entries into a longer one, whose every piece becomes dirty; its other entries become 0. */
    void copyInto(RootTable longer) throws DiskException {
        for (int first = 0; first < longer.entries; first += CHUNK_ENTRIES) {
            Slice fresh = longer.emptyChunk(first >>> CHUNK_BITS);
            int end = Math.min(entries, first + CHUNK_ENTRIES);
            for (int index = first; index < end; index++) {
                fresh.set(index - first, get(index));
            }
            longer.markDirty(fresh);
        }
    }

    private Slice chunk(int index) throws DiskException {
        int number = index >>> CHUNK_BITS;
        Slice chunk = chunks[number];
        if (chunk == null) {
            chunk = emptyChunk(number);
            chunks[number] = null;
            host.readZeroPadded(chunk.hostOffset, chunk.view);
            chunks[number] = chunk;
        }
        return chunk;
    }

    private Slice emptyChunk(int number) {
        int first = number << CHUNK_BITS;
        Slice chunk = new Slice(8 * Math.min(CHUNK_ENTRIES, entries - first));
        chunk.hostOffset = hostOffset + 8L * first;
        chunks[number] = chunk;
        return chunk;
    }
}
