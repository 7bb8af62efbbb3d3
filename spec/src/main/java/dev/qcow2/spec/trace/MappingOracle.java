package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.TraceEvent.Count;
import dev.qcow2.spec.trace.TraceEvent.Counted;
import dev.qcow2.spec.trace.TraceEvent.Done;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceEvent.Holds;
import dev.qcow2.spec.trace.TraceEvent.Image;
import dev.qcow2.spec.trace.TraceEvent.Ready;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Saved;
import dev.qcow2.spec.trace.TraceEvent.SavedEntry;
import dev.qcow2.spec.trace.TraceEvent.Settled;
import dev.qcow2.spec.trace.TraceEvent.Size;
import dev.qcow2.spec.trace.TraceEvent.Snapshot;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Judges the guest's level of a trace, event by event, as the module {@code MappingTrace} does.
 *
 * <p>The model's counts are exact at any time. Those of the trace may be higher for a while, for a count goes up before the
 * entry is linked and down after it was dropped; they are never lower, and when all is settled they are the same.
 */
public final class MappingOracle {

    private static final Request NOTHING_ASKED = new Request(Verb.LOOK, 0, 0, "");

    private MappingState state = new MappingState();
    private Image image = new Image(3, 16, 1, false, 0);
    private EntryRules rules = new EntryRules(state, image);
    private boolean ready;
    private long diskSize;
    /** Machine state lies behind it: while a resize is under way, behind the lower of the two ends. */
    private long lowerEnd;

    private Request request = NOTHING_ASKED;

    /** Makes an oracle that waits for the description of an image. */
    public MappingOracle() {}

    /**
     * Judges an event; events of the host's level are none of its business.
     *
     * @param event what was done
     * @return why it must not be, or empty
     */
    public Optional<TraceRefusal> judge(TraceEvent event) {
        if (event instanceof Image described) {
            begin(described);
        } else if (!ready) {
            return describe(event);
        } else if (event instanceof Request asked) {
            request = asked;
            lowerEnd = asked.verb() == Verb.RESIZE ? Math.min(diskSize, asked.offset()) : diskSize;
            diskSize = asked.verb() == Verb.RESIZE ? asked.offset() : diskSize;
        } else if (event instanceof Size size) {
            diskSize = size.bytes();
            lowerEnd = diskSize;
        } else if (event instanceof Count count) {
            return Optional.ofNullable(count(count));
        } else if (event instanceof Entry entry) {
            return Optional.ofNullable(entry(entry));
        } else if (event instanceof Snapshot snapshot) {
            return Optional.ofNullable(snapshot(snapshot));
        } else if (event instanceof SavedEntry saved) {
            return Optional.ofNullable(savedEntry(saved));
        } else if (event instanceof Done) {
            return Optional.ofNullable(done(event));
        } else if (event instanceof Settled) {
            return Optional.ofNullable(settled(event));
        }
        return Optional.empty();
    }

    private void begin(Image described) {
        state = new MappingState();
        image = described;
        rules = new EntryRules(state, described);
        ready = false;
        diskSize = described.size();
        lowerEnd = diskSize;
        request = NOTHING_ASKED;
    }

    private Optional<TraceRefusal> describe(TraceEvent event) {
        if (event instanceof Holds holds) {
            state.replace(holds.place(), holds.state());
        } else if (event instanceof Saved saved) {
            if (state.images()
                            .computeIfAbsent(saved.snapshot(), id -> new HashMap<>())
                            .put(saved.place(), saved.state())
                    == null) {
                state.refer(saved.state(), 1);
            }
        } else if (event instanceof Counted counted) {
            state.store(counted.host(), counted.value());
        } else if (event instanceof Ready) {
            ready = true;
            return Optional.ofNullable(atFirst(event));
        } else if (TraceText.onGuestLevel(event)) {
            return Optional.of(
                    refusal(event, "nothing is known of the image yet", List.of(), "image", "holds", "ready"));
        }
        return Optional.empty();
    }

    private static TraceRefusal refusal(TraceEvent event, String reason, List<String> known, String... allowed) {
        return new TraceRefusal(event, reason, known, List.of(allowed));
    }

    /** What the trace begins with must be right itself: CountsExact, CopiedExact, EntriesWellFormed. */
    private @Nullable TraceRefusal atFirst(TraceEvent event) {
        for (long host : state.unsettled()) {
            return refusal(event, wrongCount(host), List.of());
        }
        for (Map.Entry<Place, EntryState> entry : state.entries().entrySet()) {
            EntryState found = entry.getValue();
            if (!rules.wellFormed(found)) {
                return refusal(
                        event, entry.getKey() + " at first is " + found + ", which is no right entry", List.of());
            }
            if (found.copied() != copiedBy(found).copied()) {
                return refusal(event, wrongFlag(entry.getKey(), found), List.of());
            }
        }
        return null;
    }

    private String wrongCount(long host) {
        return "host cluster " + host + " has the count " + state.stored(host) + " and " + state.exact(host)
                + " references [QC-REF-03]";
    }

    private String wrongFlag(Place place, EntryState found) {
        return place + " is " + found + ", and its host cluster has " + state.exact(found.host())
                + " references [QC-L2-03]";
    }

    private EntryState copiedBy(EntryState entry) {
        return entry.withCopied(entry.hasHost() && !entry.isCompressed() && state.exact(entry.host()) == 1);
    }

    private @Nullable TraceRefusal count(Count count) {
        long known = state.stored(count.host());
        String before = "count of " + count.host() + " = " + known;
        if (known != count.before()) {
            return refusal(count, "the count was " + known + " before", List.of(before));
        }
        long references = state.exact(count.host());
        if (count.after() >= 0 && count.after() < references) {
            return refusal(
                    count,
                    "the count is lower than the " + references + " references [QC-REF-03]",
                    List.of(before),
                    "a count of " + references + " or more");
        }
        state.store(count.host(), count.after());
        return null;
    }

    private boolean concernsAll() {
        return switch (request.verb()) {
            case SAVE, RESTORE, FORGET -> true;
            case WRITE, WRITE_COMPRESSED, ZERO, ZERO_KEEP, DISCARD, WRITE_STATE, RESIZE, LOOK -> false;
        };
    }

    private @Nullable TraceRefusal entry(Entry change) {
        EntryState known = state.shownAt(change.place());
        if (!known.equals(change.before())) {
            return refusal(change, "the entry was " + known + " before", List.of(change.place() + " = " + known));
        }
        if (isBehindDisk(change.place()) && !change.after().hasHost()) {
            // Machine state is given up.
            state.replace(change.place(), change.after());
            state.show(change.place(), change.after());
            return null;
        }
        if (concernsAll()) {
            state.show(change.place(), change.after());
            return null;
        }
        TraceRefusal refused = step(change);
        if (refused == null) {
            state.replace(change.place(), change.after());
            refused = uncounted(change);
        }
        return refused;
    }

    /** A host cluster is counted before anything refers to it (QC-REF-13). */
    private @Nullable TraceRefusal uncounted(Entry change) {
        EntryState after = change.after();
        for (long host = after.host(); after.hasHost() && host <= after.last(); host++) {
            if (Long.compareUnsigned(state.stored(host), state.exact(host)) < 0) {
                return refusal(
                        change,
                        "host cluster " + host + " is linked with the count " + state.stored(host) + " and "
                                + state.exact(host) + " references [QC-REF-13]",
                        List.of("count of " + host + " = " + state.stored(host)),
                        "the same after the count was raised");
            }
        }
        return null;
    }

    private boolean isBehindDisk(Place place) {
        return RequestPart.isBehind(place, image, lowerEnd);
    }

    private @Nullable TraceRefusal step(Entry change) {
        EntryState before = change.before();
        EntryState after = change.after();
        Place place = change.place();
        List<String> known = new ArrayList<>(List.of(place + " = " + before));
        if (after.hasHost()) {
            known.add("references to " + after.host() + " = " + state.exact(after.host()));
        }
        if (place.kind() == Place.Kind.TABLE) {
            boolean dropped = request.verb() == Verb.RESIZE && after.equals(EntryState.NONE);
            boolean may = request.verb() != Verb.LOOK && (dropped || rules.tableMade(before, after));
            return may
                    ? null
                    : refusal(change, "no step of " + words(), known, "a table in a free host cluster, with COPIED");
        }
        if (request.verb() == Verb.WRITE_STATE) {
            boolean may = isBehindDisk(place) && rules.filled(before, after);
            return may ? null : refusal(change, "no step of " + words(), known, "data behind the disk");
        }
        if (request.verb() == Verb.RESIZE) {
            return rules.resized(before, after)
                    ? null
                    : refusal(
                            change,
                            "no step of " + words(),
                            known,
                            "none behind the end",
                            "zero",
                            "data in a free cluster");
        }
        RequestPart part = RequestPart.of(request, image, place.index(), diskSize);
        return rules.allows(request.verb(), part, before, after)
                ? null
                : new TraceRefusal(
                        change, "no step of " + words(), known, rules.alternatives(request.verb(), part, before));
    }

    private String words() {
        return request.equals(NOTHING_ASKED) ? "any request" : TraceText.line(request);
    }

    private @Nullable TraceRefusal snapshot(Snapshot step) {
        String id = step.snapshot();
        Map<Place, EntryState> saved = state.images().get(id);
        return switch (step.fate()) {
            case TAKEN -> saved != null ? refusal(step, "it is there already", List.of()) : take(id);
            case RESTORED -> saved == null ? refusal(step, "there is no such snapshot", List.of()) : restore(saved);
            case GONE -> saved == null ? refusal(step, "there is no such snapshot", List.of()) : forget(id, saved);
        };
    }

    /** MSave: every reference twice, and COPIED nowhere. */
    private @Nullable TraceRefusal take(String id) {
        Map<Place, EntryState> shownBefore = new TreeMap<>(shownNow());
        Map<Place, EntryState> image = new HashMap<>();
        state.entries().forEach((place, entry) -> {
            image.put(place, entry.withCopied(false));
            state.refer(entry, 1);
        });
        image.forEach(state::set);
        state.images().put(id, image);
        showAgain(shownBefore);
        return null;
    }

    /** MRestore. */
    private @Nullable TraceRefusal restore(Map<Place, EntryState> saved) {
        Map<Place, EntryState> shownBefore = new TreeMap<>(shownNow());
        saved.values().forEach(entry -> state.refer(entry, 1));
        state.entries().values().forEach(entry -> state.refer(entry, -1));
        List.copyOf(state.entries().keySet()).forEach(place -> state.set(place, EntryState.NONE));
        saved.forEach((place, entry) -> state.set(place, copiedBy(entry)));
        showAgain(shownBefore);
        return null;
    }

    /** MForget. */
    private @Nullable TraceRefusal forget(String id, Map<Place, EntryState> saved) {
        Map<Place, EntryState> shownBefore = new TreeMap<>(shownNow());
        saved.values().forEach(entry -> state.refer(entry, -1));
        Map.copyOf(state.entries()).forEach((place, entry) -> state.set(place, copiedBy(entry)));
        state.images().remove(id);
        showAgain(shownBefore);
        return null;
    }

    /** What the trace has shown of every place that is not empty there or in the model. */
    private Map<Place, EntryState> shownNow() {
        Map<Place, EntryState> all = new HashMap<>(state.entries());
        all.putAll(state.shown());
        return all;
    }

    private void showAgain(Map<Place, EntryState> before) {
        before.forEach(state::show);
        state.entries().forEach((place, entry) -> state.show(place, before.getOrDefault(place, EntryState.NONE)));
    }

    private @Nullable TraceRefusal savedEntry(SavedEntry change) {
        Map<Place, EntryState> saved = state.images().get(change.snapshot());
        EntryState expected = saved == null ? null : saved.getOrDefault(change.place(), EntryState.NONE);
        // A snapshot's flags mean nothing, so they are not compared.
        boolean may = request.verb() == Verb.SAVE
                && change.before().equals(EntryState.NONE)
                && change.after().withCopied(false).equals(expected);
        boolean flagOnly =
                change.after().withCopied(false).equals(change.before().withCopied(false));
        return may || flagOnly
                ? null
                : refusal(
                        change,
                        "a snapshot changes, or is not what the disk was",
                        List.of("snapshot " + change.snapshot() + " has " + expected),
                        String.valueOf(expected));
    }

    private @Nullable TraceRefusal done(TraceEvent event) {
        for (Map.Entry<Place, EntryState> shown : state.shown().entrySet()) {
            EntryState expected = state.entry(shown.getKey());
            return refusal(
                    event,
                    "after " + words() + " " + shown.getKey() + " is " + shown.getValue(),
                    List.of(),
                    String.valueOf(expected));
        }
        request = NOTHING_ASKED;
        return null;
    }

    private @Nullable TraceRefusal settled(TraceEvent event) {
        for (long host : state.unsettled()) {
            return refusal(event, wrongCount(host), List.of(), "a count of " + state.exact(host));
        }
        return null;
    }
}
