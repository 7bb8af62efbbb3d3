package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.EntryState;
import dev.qcow2.spec.trace.EventSink;
import dev.qcow2.spec.trace.ImageObserver;
import dev.qcow2.spec.trace.Place;
import dev.qcow2.spec.trace.TraceEvent;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells what changes in the tables, at the moment at which it changes in memory. An image of which nobody wants to hear has
 * none.
 *
 * <p>It is silent until it has described the image, and while something is done that is described as a whole afterwards.
 * Bitmaps may be changed beside a request, so events come from more than one thread; they are passed on one at a time.
 *
 * <p>What a request does to one entry step by step is told as one change: zeroing a part of a cluster writes the edges as data
 * and then sets bits, where the model has one step for both. So an entry is held back until something else follows that its
 * order matters to. The host's level tells each state that reaches the file.
 */
final class ChangeTeller {

    private final EventSink sink;
    private final int clusterBits;
    private final boolean extended;

    /** What is counted because entries name it. Traces don't speak of what the file needs for itself. */
    private final Set<Long> counted = new HashSet<>();

    private TraceEvent.@Nullable Entry held;
    private boolean silent = true;

    ChangeTeller(EventSink sink, ImageHeader header) {
        this.sink = sink;
        this.clusterBits = header.clusterBits();
        this.extended = header.extendedL2();
    }

    /** Tells what is done to the file. */
    synchronized void host(TraceEvent event) {
        if (!silent) {
            sink.event(event);
        }
    }

    /** Tells where a request begins or ends, after all that came before. */
    synchronized void guest(TraceEvent event) {
        if (!silent) {
            tellHeld();
            sink.event(event);
        }
    }

    private void tellHeld() {
        TraceEvent.Entry entry = held;
        held = null;
        if (entry != null && !entry.before().equals(entry.after())) {
            sink.event(entry);
        }
    }

    /** Tells nothing from now on, until the image is described. */
    synchronized void silence() {
        tellHeld();
        silent = true;
    }

    /** Describes an image whose file has all that memory has; from then on changes are told. */
    synchronized void describe(HostFile file) throws DiskException {
        List<TraceEvent> description = ImageObserver.description(file);
        counted.clear();
        silent = false;
        for (TraceEvent event : description) {
            if (event instanceof TraceEvent.Counted count && count.value() != 0) {
                counted.add(count.host());
            }
            sink.event(event);
        }
    }

    /** Tells that an entry of the active L1 table gets another value. */
    void table(int l1Index, long before, long after) {
        guest(new TraceEvent.Entry(Place.table(l1Index), tableState(before), tableState(after)));
    }

    /** Tells that the entry of a guest cluster gets other values, if they are others. */
    synchronized void entry(long guestCluster, long before, long bitmapBefore, long after, long bitmapAfter) {
        if (silent) {
            return;
        }
        Place place = Place.cluster(guestCluster);
        TraceEvent.Entry earlier = held;
        if (earlier != null && earlier.place().equals(place)) {
            held = new TraceEvent.Entry(place, earlier.before(), state(after, bitmapAfter));
        } else {
            tellHeld();
            held = new TraceEvent.Entry(place, state(before, bitmapBefore), state(after, bitmapAfter));
        }
    }

    /** Tells that a count changes, apart from those of what the file needs for itself. */
    synchronized void count(long host, long before, long after) {
        if (silent || before == after) {
            return;
        }
        if (Long.compareUnsigned(after, before) < 0) {
            // A count is lowered after its entry is gone, but it may be raised long before there is one.
            tellHeld();
        }
        if (before == 0) {
            counted.add(host);
        }
        if (counted.contains(host)) {
            sink.event(new TraceEvent.Count(host, before, after));
        }
        if (after == 0) {
            counted.remove(host);
        }
    }

    private EntryState tableState(long entry) {
        long offset = EntryBits.offset(entry);
        return EntryState.standard(cluster(offset), EntryBits.copied(entry), offset == 0 ? 0 : 1, 0);
    }

    private EntryState state(long entry, long bitmap) {
        boolean copied = EntryBits.copied(entry);
        if ((entry & EntryBits.COMPRESSED) != 0) {
            long inCluster = CompressedBits.offset(entry, clusterBits) & ((1L << clusterBits) - 1);
            return EntryState.compressed(
                    CompressedBits.firstCluster(entry, clusterBits),
                    CompressedBits.lastCluster(entry, clusterBits),
                    copied,
                    inCluster);
        }
        long host = cluster(EntryBits.offset(entry));
        if (extended) {
            return EntryState.standard(host, copied, SubclusterBits.allocated(bitmap), SubclusterBits.zero(bitmap));
        }
        boolean zero = (entry & EntryBits.ZERO) != 0;
        return EntryState.standard(host, copied, host != EntryState.NO_HOST && !zero ? 1 : 0, zero ? 1 : 0);
    }

    private long cluster(long offset) {
        return offset == 0 ? EntryState.NO_HOST : offset >>> clusterBits;
    }
}
