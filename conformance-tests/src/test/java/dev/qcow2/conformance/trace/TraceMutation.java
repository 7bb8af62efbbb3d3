package dev.qcow2.conformance.trace;

import dev.qcow2.spec.trace.EntryState;
import dev.qcow2.spec.trace.Place;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceEvent.Area;
import dev.qcow2.spec.trace.TraceEvent.Count;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceEvent.Host;
import dev.qcow2.spec.trace.TraceEvent.HostVerb;
import dev.qcow2.spec.trace.TraceEvent.Put;
import dev.qcow2.spec.trace.TraceEvent.PutCount;
import dev.qcow2.spec.trace.TraceEvent.Ready;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes a wrong trace of a right one, by one change: what a wrong implementation would have left. */
enum TraceMutation {
    /** A released cluster keeps its count. */
    LOWERING_DROPPED,
    /** A fresh cluster is linked and not counted. */
    RAISING_DROPPED,
    /** An entry says COPIED where it must not, or the other way round. */
    COPIED_WRONG,
    /** An entry names another host cluster, which others use. */
    OTHER_HOST,
    /** An entry changes of which nobody spoke. */
    NOT_ASKED,
    /** A snapshot is not told. */
    SNAPSHOT_DROPPED,
    /** The flush before an entry is written is left out. */
    LINK_BEFORE_FLUSH,
    /** In the file a count is raised only after the entry is written. */
    COUNTED_TOO_LATE,
    /** A hole is punched where an entry still shows data. */
    PUNCHED_IN_USE;

    /** Returns the wrong trace, or empty if the right one gives no opportunity. */
    Optional<List<TraceEvent>> of(List<TraceEvent> right) {
        List<TraceEvent> wrong = new ArrayList<>(right);
        int ready = right.stream().map(Object::getClass).toList().indexOf(Ready.class);
        for (int i = Math.max(0, ready); i < right.size(); i++) {
            if (change(wrong, i)) {
                return Optional.of(wrong);
            }
        }
        return Optional.empty();
    }

    private boolean change(List<TraceEvent> trace, int at) {
        TraceEvent event = trace.get(at);
        return switch (this) {
            case LOWERING_DROPPED -> event instanceof Count count && count.after() < count.before() && drop(trace, at);
            case RAISING_DROPPED -> event instanceof Count count && count.after() > count.before() && drop(trace, at);
            case COPIED_WRONG ->
                event instanceof Entry entry
                        && entry.after().hasHost()
                        && replace(
                                trace,
                                at,
                                after(
                                        entry,
                                        entry.after().withCopied(!entry.after().copied())));
            case OTHER_HOST -> event instanceof Entry entry && entry.after().copied() && otherHost(trace, at, entry);
            case NOT_ASKED ->
                event instanceof Request request
                        && request.length() > 0
                        && nextEntry(trace, at)
                        && replace(trace, at, new Request(TraceEvent.Verb.LOOK, 0, 0, ""));
            case SNAPSHOT_DROPPED -> event instanceof Snapshot && drop(trace, at);
            case LINK_BEFORE_FLUSH -> isFlush(event) && linkFollows(trace, at) && drop(trace, at);
            case COUNTED_TOO_LATE -> event instanceof PutCount count && count.value() == 1 && moveBehindPut(trace, at);
            case PUNCHED_IN_USE ->
                event instanceof Put put
                        && put.state().data() != 0
                        && put.place().kind() == Place.Kind.CLUSTER
                        && punchAfter(trace, at, put);
        };
    }

    private static boolean drop(List<TraceEvent> trace, int at) {
        trace.remove(at);
        return true;
    }

    private static boolean replace(List<TraceEvent> trace, int at, TraceEvent other) {
        trace.set(at, other);
        return true;
    }

    private static Entry after(Entry entry, EntryState state) {
        return new Entry(entry.place(), entry.before(), state);
    }

    private static boolean otherHost(List<TraceEvent> trace, int at, Entry entry) {
        for (TraceEvent event : trace.subList(0, at)) {
            if (event instanceof Entry other
                    && other.after().hasHost()
                    && !other.place().equals(entry.place())) {
                EntryState now = entry.after();
                long host = other.after().host();
                return host != now.host()
                        && replace(trace, at, after(entry, EntryState.standard(host, true, now.data(), now.zero())));
            }
        }
        return false;
    }

    private static boolean nextEntry(List<TraceEvent> trace, int at) {
        for (TraceEvent event : trace.subList(at + 1, trace.size())) {
            if (event instanceof Entry) {
                return true;
            }
            if (event instanceof Request) {
                return false;
            }
        }
        return false;
    }

    private static boolean isFlush(TraceEvent event) {
        return event instanceof Host host && host.verb() == HostVerb.FLUSH;
    }

    /** Whether the next thing in the file is an entry whose data was written just before. */
    private static boolean linkFollows(List<TraceEvent> trace, int at) {
        boolean written = false;
        for (int i = at - 1; i >= 0 && !isFlush(trace.get(i)); i--) {
            written |= trace.get(i) instanceof Host host && host.area() == Area.DATA;
        }
        return written
                && at + 2 < trace.size()
                && trace.get(at + 1) instanceof Host
                && trace.get(at + 2) instanceof Put put
                && put.state().showsHost();
    }

    private static boolean moveBehindPut(List<TraceEvent> trace, int at) {
        PutCount count = (PutCount) trace.get(at);
        for (int i = at + 1; i < trace.size(); i++) {
            if (trace.get(i) instanceof Put put && put.state().refersTo(count.host())) {
                trace.add(i + 1, count);
                trace.remove(at);
                return true;
            }
        }
        return false;
    }

    private static boolean punchAfter(List<TraceEvent> trace, int at, Put put) {
        // The cluster size makes no difference to the range of one cluster: it is taken from the description.
        for (TraceEvent event : trace) {
            if (event instanceof TraceEvent.Image image) {
                long size = 1L << image.clusterBits();
                trace.add(
                        at + 1, new Host(HostVerb.PUNCH, Area.DATA, put.state().host() * size, size));
                return true;
            }
        }
        return false;
    }
}
