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

    private final HostFile host;
    private final long hostOffset;
    private final int entries;
    private final @Nullable Slice[] chunks;
    private List<Slice> dirty = new ArrayList<>();
    private List<Slice> spare = new ArrayList<>();

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
        chunk.set(index & (CHUNK_ENTRIES - 1), value);
        markDirty(chunk);
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
