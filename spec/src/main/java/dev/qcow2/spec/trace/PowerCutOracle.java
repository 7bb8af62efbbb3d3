package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.TraceEvent.Area;
import dev.qcow2.spec.trace.TraceEvent.Counted;
import dev.qcow2.spec.trace.TraceEvent.Holds;
import dev.qcow2.spec.trace.TraceEvent.Host;
import dev.qcow2.spec.trace.TraceEvent.HostVerb;
import dev.qcow2.spec.trace.TraceEvent.Image;
import dev.qcow2.spec.trace.TraceEvent.Put;
import dev.qcow2.spec.trace.TraceEvent.PutCount;
import dev.qcow2.spec.trace.TraceEvent.PutDirty;
import dev.qcow2.spec.trace.TraceEvent.PutSaved;
import dev.qcow2.spec.trace.TraceEvent.Ready;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Saved;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges the host's level of a trace, event by event, as the module {@code PowerCutTrace} does: whatever a power cut leaves
 * at any moment, no count is too low, no host cluster has two owners, and no entry shows bytes that are not its own.
 */
public final class PowerCutOracle {

    private static final Set<Verb> ZEROING = Set.of(Verb.ZERO, Verb.ZERO_KEEP, Verb.DISCARD);

    private CutState state = new CutState();
    private int clusterBits = 16;
    private boolean ready;
    private Verb verb = Verb.LOOK;

    /** Makes an oracle that waits for the description of an image. */
    public PowerCutOracle() {}

    /**
     * Judges an event; of the guest's level it hears the description and the requests.
     *
     * @param event what was done
     * @return why it must not be, or empty
     */
    public Optional<TraceRefusal> judge(TraceEvent event) {
        if (event instanceof Image image) {
            state = new CutState();
            clusterBits = image.clusterBits();
            ready = false;
        } else if (!ready) {
            describe(event);
        } else if (event instanceof Request request) {
            verb = request.verb();
        } else if (event instanceof Put put) {
            return Optional.ofNullable(entry(put, new CutState.Key("", put.place()), put.state()));
        } else if (event instanceof PutSaved put) {
            return Optional.ofNullable(entry(
                    put,
                    new CutState.Key(put.snapshot(), put.place()),
                    put.state().withCopied(false)));
        } else if (event instanceof PutCount put) {
            state.putCount(put.host(), put.value());
            return Optional.ofNullable(onlyLeaks(put, put.host()));
        } else if (event instanceof PutDirty put) {
            state.putDirty(put.set());
        } else if (event instanceof Host host) {
            return Optional.ofNullable(host(host));
        }
        return Optional.empty();
    }

    private void describe(TraceEvent event) {
        if (event instanceof Holds holds) {
            state.put(new CutState.Key("", holds.place()), holds.state());
        } else if (event instanceof Saved saved) {
            state.put(
                    new CutState.Key(saved.snapshot(), saved.place()),
                    saved.state().withCopied(false));
        } else if (event instanceof Counted counted) {
            state.putCount(counted.host(), counted.value());
        } else if (event instanceof Ready) {
            state.flush();
            ready = true;
            verb = Verb.LOOK;
        }
    }

    private static TraceRefusal refusal(TraceEvent event, String reason, String known, String allowed) {
        return new TraceRefusal(event, reason, List.of(known), List.of(allowed));
    }

    private @Nullable TraceRefusal entry(TraceEvent event, CutState.Key key, EntryState after) {
        EntryState before = state.now(key);
        boolean shows = after.showsHost()
                && !(before.showsHost() && before.sameHosts(after) && (after.data() & ~before.data()) == 0);
        state.put(key, after);
        for (long host = after.host(); after.hasHost() && host <= after.last(); host++) {
            if (shows && state.isPending(host)) {
                return refusal(
                        event,
                        "after a power cut " + key + " may show host cluster " + host
                                + " without its new bytes [QC-L2-13]",
                        "host cluster " + host + " was written since the last flush",
                        "the same after a flush");
            }
            TraceRefusal found = onlyLeaks(event, host);
            found = found != null ? found : noClusterTwice(event, key, after, host);
            found = found != null ? found : copiedIsSafe(event, host);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /** OnlyLeaks: unless the dirty bit is surely set. */
    private @Nullable TraceRefusal onlyLeaks(TraceEvent event, long host) {
        Set<CutState.Key> referrers = state.referrers(host);
        long least = state.leastCount(host);
        if (!state.mayBeClean() || least < 0 || least >= referrers.size()) {
            return null;
        }
        return refusal(
                event,
                "after a power cut host cluster " + host + " may have the count " + least + " and " + referrers.size()
                        + " references [QC-REF-13, QC-REF-14]",
                "it may be referred to by " + referrers,
                "the same after a flush");
    }

    /** NoClusterTwice: only streams of compressed data stand beside each other. */
    private @Nullable TraceRefusal noClusterTwice(TraceEvent event, CutState.Key key, EntryState after, long host) {
        for (CutState.Key other : state.referrers(host)) {
            boolean elsewhere = !other.place().equals(key.place());
            if (elsewhere
                    && state.may(other).stream()
                            .anyMatch(e -> e.refersTo(host) && !(e.isCompressed() && after.isCompressed()))) {
                return refusal(
                        event,
                        "after a power cut " + key + " and " + other + " may share host cluster " + host
                                + " [QC-REF-15]",
                        other + " may be " + state.may(other),
                        "the same after a flush");
            }
        }
        return null;
    }

    /** CopiedIsSafe: COPIED is on no entry whose cluster a snapshot refers to. */
    private @Nullable TraceRefusal copiedIsSafe(TraceEvent event, long host) {
        CutState.Key owner = null;
        CutState.Key sharer = null;
        for (CutState.Key key : state.referrers(host)) {
            boolean copied = state.may(key).stream().anyMatch(e -> e.refersTo(host) && e.copied());
            owner = key.isActive() && copied ? key : owner;
            sharer = key.isActive() ? sharer : key;
        }
        return owner == null || sharer == null
                ? null
                : refusal(
                        event,
                        "after a power cut " + owner + " may have COPIED although " + sharer
                                + " shares it [QC-SNAP-03]",
                        owner + " may be " + state.may(owner),
                        "the same after COPIED was cleared and flushed");
    }

    private @Nullable TraceRefusal host(Host event) {
        if (event.verb() == HostVerb.FLUSH) {
            state.flush();
            return null;
        }
        if (event.area() != Area.DATA || event.length() == 0) {
            return null;
        }
        long last = (event.offset() + event.length() - 1) >>> clusterBits;
        for (long host = event.offset() >>> clusterBits; host <= last; host++) {
            for (CutState.Key key : state.referrers(host)) {
                TraceRefusal found = bytesChange(event, key, host);
                if (found != null) {
                    return found;
                }
            }
            state.write(host);
        }
        return null;
    }

    /** No entry that a cut may bring back shows bytes that were not its own. */
    private @Nullable TraceRefusal bytesChange(Host event, CutState.Key key, long host) {
        boolean mayShow = state.may(key).stream().anyMatch(e -> e.refersTo(host) && e.showsHost() && !e.isCompressed());
        if (!mayShow) {
            return null;
        }
        EntryState now = state.now(key);
        boolean punch = event.verb() == HostVerb.PUNCH;
        boolean own = key.isActive() && now.refersTo(host) && !(punch && now.showsHost());
        boolean zeroedAway =
                key.isActive() && !now.refersTo(host) && event.verb() != HostVerb.WRITE && ZEROING.contains(verb);
        return own || zeroedAway
                ? null
                : refusal(
                        event,
                        "after a power cut " + key + " may show the new bytes of host cluster " + host + " [QC-REF-15]",
                        key + " may be " + state.may(key),
                        "the same after a flush of what dropped it");
    }
}
