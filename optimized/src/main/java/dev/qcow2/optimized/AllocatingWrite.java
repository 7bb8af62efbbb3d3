package dev.qcow2.optimized;

import dev.qcow2.optimized.CopyOnWriteDecision.Action;
import dev.qcow2.optimized.CopyOnWriteDecision.HostCluster;
import dev.qcow2.optimized.CopyOnWriteDecision.Surroundings;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/**
 * The second half of an allocating write: DECIDE what to do about head and tail, COPY and write, LINK, RELEASE. The guest
 * clusters are claimed, so nobody else looks at them or at the new host clusters; only LINK takes the lock.
 */
final class AllocatingWrite {

    /** Payloads above this are not copied in memory to save a host call. */
    private static final int MERGED_PAYLOAD = 1 << 20;

    private final Image image;
    private final MappingTables mapping;
    private final SubclusterMap subclusters;
    private final OptimizedOptions options;
    private final int clusterBits;
    private final CopyBuffers buffers;
    private final GuestData data;

    AllocatingWrite(Image image) {
        this.image = image;
        this.mapping = image.mapping();
        this.subclusters = image.subclusters();
        this.options = image.options();
        this.clusterBits = image.clusterBits();
        this.data = image.guestData();
        this.buffers = image.buffers();
    }

    /** Writes the payload, which fills the step's clusters from an offset on, and links them. */
    void perform(Allocation step, long at, ByteBuffer payload) throws DiskException {
        boolean linked = false;
        try {
            writeData(step, at, payload);
            link(step);
            linked = true;
        } finally {
            // No entry names the clusters, so they can go back at once; what was written to them is never shown.
            if (!linked && !step.reused && !mapping.dataFile()) {
                release(step);
            }
        }
    }

    private void writeData(Allocation step, long at, ByteBuffer payload) throws DiskException {
        long payloadEnd = at + payload.remaining();
        int head = (int) (at - step.headFrom);
        int tail = (int) (step.tailTo - payloadEnd);
        Action headAction = decide(step, true, step.headFrom, head);
        Action tailAction = decide(step, false, payloadEnd, tail);
        HostCluster state = step.neverWritten ? HostCluster.NEVER_WRITTEN : HostCluster.MAY_HOLD_STALE_BYTES;
        boolean zeroHead = CopyOnWriteDecision.mustZeroFirst(headAction, state);
        boolean zeroTail = CopyOnWriteDecision.mustZeroFirst(tailAction, state);
        if ((zeroHead || zeroTail) && !zero(step, at, payloadEnd, zeroHead ? head : 0, zeroTail ? tail : 0)) {
            headAction = CopyOnWriteDecision.whenZeroingIsRefused(headAction);
            tailAction = CopyOnWriteDecision.whenZeroingIsRefused(tailAction);
        }
        step.whole = headAction != Action.SKIP && tailAction != Action.SKIP && !mapping.extended();
        int headCopy = headAction == Action.COPY ? head : 0;
        int tailCopy = tailAction == Action.COPY ? tail : 0;
        write(step, at, payload, headCopy, tailCopy);
    }

    private Action decide(Allocation step, boolean isHead, long guestOffset, int length) throws DiskException {
        Surroundings known = surroundings(step, isHead, guestOffset, length);
        // QC-CRY-01: host bytes that are zero do not decrypt to zeros, so those around are owed as encrypted ones.
        return CopyOnWriteDecision.decide(known, options.skipCopyOnWrite() && !data.encrypted());
    }

    private Surroundings surroundings(Allocation step, boolean isHead, long guestOffset, int length)
            throws DiskException {
        if (length == 0) {
            return Surroundings.NOTHING;
        }
        if (mapping.extended()) {
            return subclusters.surroundings(step, isHead, guestOffset, guestOffset + length);
        }
        return switch (EntryBits.kind(isHead ? step.firstEntry : step.lastEntry)) {
            case ZERO_PLAIN, ZERO_ALLOCATED -> Surroundings.READS_AS_ZERO;
            case NORMAL, COMPRESSED -> Surroundings.DATA;
            case UNALLOCATED ->
                isZeroBelow(guestOffset, length, step.below) ? Surroundings.READS_AS_ZERO : Surroundings.DATA;
        };
    }

    private boolean isZeroBelow(long guestOffset, int length, Run scratch) throws DiskException {
        Layer backing = image.backing();
        // The last cluster may pass the disk's end; what lies there is zero in any case.
        long visible = Math.min(length, image.size() - guestOffset);
        return backing == null || visible <= 0 || Layer.readsAsZeroPadded(backing, guestOffset, visible, scratch);
    }

    /** QC-GUEST-11: takes the stale bytes away before anything can show them. */
    private boolean zero(Allocation step, long at, long payloadEnd, int head, int tail) throws DiskException {
        long start = step.hostOffset - (step.guestCluster << clusterBits);
        // What lies between may be zeroed too, unless the guest sees it already.
        boolean nothingShown = !step.reused || !mapping.extended();
        if (head > 0 && tail > 0 && step.clusters == 1 && nothingShown) {
            return data.zero(start + at - head, payloadEnd + tail - (at - head));
        }
        return (head == 0 || data.zero(start + at - head, head)) && (tail == 0 || data.zero(start + payloadEnd, tail));
    }

    private void write(Allocation step, long at, ByteBuffer payload, int headCopy, int tailCopy) throws DiskException {
        long host = step.hostOffset + (at - (step.guestCluster << clusterBits));
        int length = payload.remaining();
        if (headCopy == 0 && tailCopy == 0) {
            data.write(host, at, payload);
            return;
        }
        boolean merged = options.mergeCopyWithPayload() && length <= MERGED_PAYLOAD;
        ByteBuffer copy = buffers.take(merged ? headCopy + length + tailCopy : Math.max(headCopy, tailCopy));
        try {
            fill(copy, step, true, at - headCopy, headCopy);
            if (merged) {
                copy.put(payload);
            } else {
                data.write(host - headCopy, at - headCopy, copy.flip());
                data.write(host, at, payload);
                copy.clear();
            }
            fill(copy, step, false, at + length, tailCopy);
            int skew = merged ? -headCopy : length;
            data.write(host + skew, at + skew, copy.flip());
        } finally {
            buffers.giveBack(copy);
        }
    }

    /** QC-L2-11: appends the bytes that the guest sees around the payload; beyond the disk's end they are zeros. */
    private void fill(ByteBuffer into, Allocation step, boolean isHead, long guestOffset, int length)
            throws DiskException {
        if (mapping.extended()) {
            subclusters.fill(into, step, isHead, guestOffset, guestOffset + length);
            return;
        }
        long oldEntry = isHead ? step.firstEntry : step.lastEntry;
        int endInto = into.position() + length;
        // Machine state lies behind the disk as a whole, and is copied as it stands.
        long end = guestOffset < image.size() || guestOffset < image.vmStateStart() ? image.size() : Long.MAX_VALUE;
        int visible = (int) Math.min(length, Math.max(0, end - guestOffset));
        into.limit(into.position() + visible);
        if (visible > 0) {
            switch (EntryBits.kind(oldEntry)) {
                case NORMAL -> {
                    long inCluster = guestOffset & (image.clusterSize() - 1);
                    data.read(EntryBits.offset(oldEntry) + inCluster, guestOffset, into);
                }
                case ZERO_PLAIN, ZERO_ALLOCATED -> Zeros.fill(into, visible);
                case UNALLOCATED -> image.readBelow(guestOffset, into);
                case COMPRESSED -> image.readCompressed(oldEntry, guestOffset, into);
            }
        }
        into.limit(into.capacity());
        Zeros.fill(into, endInto - into.position());
    }

    private void link(Allocation step) throws DiskException {
        image.metadata().lock();
        try {
            PendingFrees frees = image.checkpoint().frees();
            Slice slice = mapping.writable(step.guestCluster, image.allocator(), frees);
            if (!step.reused) {
                mapping.requireDroppable(slice, step.guestCluster, step.clusters);
            }
            for (int i = 0; i < step.clusters; i++) {
                long cluster = step.guestCluster + i;
                long old = mapping.rawEntry(slice, cluster);
                long bitmap =
                        mapping.extended() ? subclusters.bitmapAfter(step, cluster, mapping.bitmap(slice, cluster)) : 0;
                // QC-L2-13: the data is in the file; the checkpoint flushes it before it writes this entry.
                mapping.put(slice, cluster, EntryBits.normal(step.hostOffset + ((long) i << clusterBits)), bitmap);
                if (!step.reused) {
                    mapping.drop(old, frees);
                }
            }
            mapping.slices().markDirty(slice);
            if (!mapping.dataFile()) {
                image.ahead().note(step.whole, step.clusters);
            }
            image.noteChange();
        } finally {
            image.metadata().unlock();
        }
    }

    private void release(Allocation step) throws DiskException {
        image.metadata().lock();
        try {
            image.allocator().release(step.hostOffset >>> clusterBits, step.clusters);
        } finally {
            image.metadata().unlock();
        }
    }
}
