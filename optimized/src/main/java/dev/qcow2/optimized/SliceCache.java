package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A bounded cache of slices, found by host offset. Guarded by the image's metadata lock.
 *
 * <p>Only clean slices are evicted; a dirty one waits for the next {@link Checkpoint}, because writing it at any other
 * moment could put a pointer on the disk before what it points to. {@link #wantsCheckpoint()} tells when too many are
 * dirty. The bound is therefore a soft one, exceeded by what a few requests in flight can dirty.
 */
final class SliceCache {

    private static final long NOWHERE = -1;

    private final HostFile host;
    private final int sliceBits;
    private final int capacity;
    private final List<Slice> ring = new ArrayList<>();
    private List<Slice> dirty = new ArrayList<>();
    private List<Slice> spare = new ArrayList<>();
    private @Nullable Slice[] buckets = new @Nullable Slice[16];
    private final ArrayDeque<Slice> unused = new ArrayDeque<>();
    private @Nullable Slice latest;
    private int hand;
    private long generation;

    /**
     * Makes an empty cache.
     *
     * @param budgetBytes how much the slices may take
     */
    SliceCache(HostFile host, int sliceBits, long budgetBytes) {
        this.host = host;
        this.sliceBits = sliceBits;
        this.capacity = (int) Math.max(16, budgetBytes >>> sliceBits);
    }

    int sliceBytes() {
        return 1 << sliceBits;
    }

    boolean hasDirty() {
        return !dirty.isEmpty();
    }

    boolean wantsCheckpoint() {
        return dirty.size() >= capacity / 2;
    }

    /** Returns the slice that starts at a host offset, read from the file if need be. */
    Slice get(long hostOffset) throws DiskException {
        Slice hit = latest;
        if (hit != null && hit.hostOffset == hostOffset) {
            return hit;
        }
        hit = find(hostOffset);
        if (hit == null) {
            hit = load(hostOffset);
        }
        hit.used = true;
        latest = hit;
        return hit;
    }

    boolean has(long hostOffset) {
        return (latest != null && latest.hostOffset == hostOffset) || find(hostOffset) != null;
    }

    /** Changes whenever a slice that was read from the file before may be out of date. */
    long generation() {
        return generation;
    }

    /** Says that the file was changed, and so ends the use of every slice that is being read at the moment. */
    void fileChanged() {
        generation++;
    }

    /** Returns a slice for reading outside the lock; it comes back by {@link #offer} or {@link #giveBack}. */
    Slice borrow() {
        Slice slice = unused.poll();
        return slice == null ? new Slice(sliceBytes()) : slice;
    }

    void giveBack(Slice slice) {
        unused.add(slice);
    }

    /** Takes in a slice that was read while nobody held the lock, unless it may be out of date by now. */
    void offer(Slice slice, long hostOffset, long generationBefore) {
        if (generation != generationBefore || has(hostOffset)) {
            giveBack(slice);
            return;
        }
        Slice victim = ring.size() < capacity ? null : victim();
        if (victim == null) {
            ring.add(slice);
        } else {
            unlink(victim);
            latest = null;
            ring.set(hand, slice);
            giveBack(victim);
        }
        slice.hostOffset = hostOffset;
        link(slice);
    }

    void markDirty(Slice slice) {
        if (!slice.dirty) {
            slice.dirty = true;
            dirty.add(slice);
        }
    }

    /** Hands the dirty slices over to a checkpoint; what is changed from now on is dirty anew. */
    List<Slice> takeDirty() {
        List<Slice> taken = dirty;
        dirty = spare;
        spare = taken;
        return taken;
    }

    /** Forgets the slices of a cluster whose content was changed, or is about to be changed, past this cache. */
    void forget(long hostOffset, long length) {
        long end = hostOffset + length;
        fileChanged();
        for (long at = hostOffset; at < end; at += sliceBytes()) {
            Slice slice = find(at);
            if (slice != null) {
                ring.remove(slice);
                dirty.remove(slice);
                unlink(slice);
            }
        }
        latest = null;
    }

    /** Forgets every slice that the file has as it is here. */
    void forgetClean() {
        latest = null;
        for (int i = ring.size() - 1; i >= 0; i--) {
            Slice slice = ring.get(i);
            if (!slice.dirty && !slice.writing) {
                unlink(slice);
                ring.set(i, ring.get(ring.size() - 1));
                ring.remove(ring.size() - 1);
            }
        }
        hand = 0;
    }

    private Slice load(long hostOffset) throws DiskException {
        Slice slice = ring.size() < capacity ? null : victim();
        if (slice == null) {
            slice = new Slice(sliceBytes());
            slice.hostOffset = NOWHERE;
            ring.add(slice);
        } else {
            unlink(slice);
            slice.hostOffset = NOWHERE;
        }
        latest = null;
        slice.view.clear();
        // If this fails the slice stays in the ring, unreachable, and is the next one to be reused.
        host.readZeroPadded(hostOffset, slice.view);
        slice.hostOffset = hostOffset;
        link(slice);
        return slice;
    }

    private @Nullable Slice victim() {
        // Two rounds: the first may only take the marks away.
        for (int step = 0; step < 2 * ring.size(); step++) {
            hand = hand + 1 >= ring.size() ? 0 : hand + 1;
            Slice slice = ring.get(hand);
            if (!slice.used && !slice.dirty && !slice.writing) {
                return slice;
            }
            slice.used = false;
        }
        return null;
    }

    private int bucket(long hostOffset) {
        long mixed = (hostOffset >>> sliceBits) * 0x9e37_79b9_7f4a_7c15L;
        return (int) (mixed >>> 40) & (buckets.length - 1);
    }

    private @Nullable Slice find(long hostOffset) {
        Slice slice = buckets[bucket(hostOffset)];
        while (slice != null && slice.hostOffset != hostOffset) {
            slice = slice.nextInBucket;
        }
        return slice;
    }

    private void link(Slice slice) {
        if (ring.size() > buckets.length) {
            buckets = new @Nullable Slice[buckets.length * 4];
            for (Slice known : ring) {
                if (known.hostOffset != NOWHERE) {
                    push(known);
                }
            }
        } else {
            push(slice);
        }
    }

    private void push(Slice slice) {
        int bucket = bucket(slice.hostOffset);
        slice.nextInBucket = buckets[bucket];
        buckets[bucket] = slice;
    }

    private void unlink(Slice slice) {
        int bucket = bucket(slice.hostOffset);
        Slice at = buckets[bucket];
        if (at == slice) {
            buckets[bucket] = slice.nextInBucket;
            return;
        }
        while (at != null && at.nextInBucket != slice) {
            at = at.nextInBucket;
        }
        if (at != null) {
            at.nextInBucket = slice.nextInBucket;
        }
    }
}
