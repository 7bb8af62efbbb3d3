package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.trace.EntryState;
import dev.qcow2.spec.trace.EventSink;
import dev.qcow2.spec.trace.Place;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceEvent.Area;
import dev.qcow2.spec.trace.TraceEvent.HostVerb;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tells the events of the plans for guest clusters and L2 tables, step by step, from the steps themselves. Other plans change
 * what the file itself refers to, of which traces do not speak, or are told as a whole afterwards.
 */
final class PlanTracer implements PlanObserver {

    private final EventSink sink;
    private @Nullable Geometry geometry;
    private boolean silent;

    /** Makes a tracer that waits for an image. */
    PlanTracer(EventSink sink) {
        this.sink = sink;
    }

    /** Knows the image from now on. */
    void watch(Geometry geometryOfImage) {
        geometry = geometryOfImage;
    }

    /** Tells nothing while something is done that is described as a whole afterwards. */
    void silence(boolean on) {
        silent = on;
    }

    @Override
    public void before(Plan plan, int step) throws DiskException {
        Geometry known = geometry;
        if (silent || known == null) {
            return;
        }
        Step next = plan.lines().get(step).step();
        tellHost(next, known);
        if (plan.lines().stream().anyMatch(line -> isLink(line.step()))) {
            tellGuest(next, known);
        }
    }

    private static boolean isLink(Step step) {
        return step instanceof Step.LinkL2 || step instanceof Step.LinkL1;
    }

    private void host(HostVerb verb, Area area, long offset, long length) {
        sink.event(new TraceEvent.Host(verb, area, offset, length));
    }

    private void tellHost(Step step, Geometry known) {
        if (step instanceof Step.SetCount count) {
            int order = known.refcountOrder();
            long at = count.blockOffset() + Counts.byteOf(known.placeInBlock(count.host()), order);
            host(HostVerb.WRITE, Area.REFCOUNTS, at, Counts.bytesPerCount(order));
        } else if (step instanceof Step.WriteBuffer write) {
            host(HostVerb.WRITE, Area.DATA, known.hostOffset(write.host()), known.clusterSize());
        } else if (step instanceof Step.WriteGuest write) {
            int length = write.payload().remaining();
            host(HostVerb.WRITE, Area.DATA, write.hostOffset() + write.offsetInCluster(), length);
        } else if (step instanceof Step.Write write) {
            host(
                    HostVerb.WRITE,
                    areaOf(write.what()),
                    write.hostOffset(),
                    write.bytes().remaining());
        } else if (step instanceof Step.LinkL2 link) {
            host(HostVerb.WRITE, Area.L2, link.mapping().l2At(), link.bytes().remaining());
        } else if (step instanceof Step.LinkL1 link) {
            host(HostVerb.WRITE, Area.L1, link.hostOffset(), Geometry.ENTRY_BYTES);
        } else if (step instanceof Step.WriteHeader write) {
            host(HostVerb.WRITE, Area.HEADER, write.field(), write.bytes().remaining());
        } else if (step instanceof Step.Flush) {
            host(HostVerb.FLUSH, Area.FILE, 0, 0);
        } else if (step instanceof Step.Punch punch) {
            host(HostVerb.PUNCH, Area.DATA, known.hostOffset(punch.host()), known.clusterSize());
        }
    }

    /** What is new is named by nothing yet, and so it is data to the file. */
    private static Area areaOf(String what) {
        if (what.contains("snapshot")) {
            return Area.SNAPSHOTS;
        }
        return what.contains("refcount table entry") ? Area.REFCOUNT_TABLE : Area.DATA;
    }

    private void tellGuest(Step step, Geometry known) {
        if (step instanceof Step.SetCount count) {
            sink.event(new TraceEvent.PutCount(count.host().index(), count.to()));
            sink.event(new TraceEvent.Count(count.host().index(), count.from(), count.to()));
        } else if (step instanceof Step.LinkL2 link) {
            Place place = Place.cluster(link.mapping().guest().index());
            EntryState after = state(link.entry(), known);
            sink.event(new TraceEvent.Put(place, after));
            sink.event(new TraceEvent.Entry(place, state(link.mapping().l2(), known), after));
        } else if (step instanceof Step.LinkL1 link) {
            Place place = Place.table(link.index());
            EntryState after = state(link.entry(), known);
            sink.event(new TraceEvent.Put(place, after));
            sink.event(new TraceEvent.Entry(place, state(link.old(), known), after));
        }
    }

    private static EntryState state(L1Entry entry, Geometry known) {
        return entry.allocated()
                ? EntryState.standard(known.hostCluster(entry.l2Offset()).index(), entry.copied(), 1, 0)
                : EntryState.NONE;
    }

    private static EntryState state(L2Entry entry, Geometry known) {
        if (entry.kind() == L2Entry.Kind.COMPRESSED) {
            List<HostCluster> hosts = entry.hostClusters(known);
            long stream = entry.packed().orElseThrow().hostOffset();
            return EntryState.compressed(
                    hosts.get(0).index(),
                    hosts.get(hosts.size() - 1).index(),
                    entry.copied(),
                    known.offsetInCluster(stream));
        }
        long host =
                entry.hasHostCluster() ? known.hostCluster(entry.hostOffset()).index() : EntryState.NO_HOST;
        if (known.extendedL2()) {
            long bits = entry.subclusters().bits();
            return EntryState.standard(host, entry.copied(), (int) bits, (int) (bits >>> 32));
        }
        boolean zero = entry.kind() == L2Entry.Kind.ZERO_PLAIN || entry.kind() == L2Entry.Kind.ZERO_ALLOCATED;
        return EntryState.standard(host, entry.copied(), entry.kind() == L2Entry.Kind.NORMAL ? 1 : 0, zero ? 1 : 0);
    }
}
