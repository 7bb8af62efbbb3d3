package dev.qcow2.spec.trace;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the oracle of the mapping knows of an image: the model's entries and what the trace has shown of them, the exact
 * counts and those that the trace has told.
 */
final class MappingState implements EntryRules.Hosts {

    /** Where streams of compressed data are, and how many. */
    private final Map<Long, Integer> streams = new HashMap<>();

    private final Map<Place, EntryState> entries = new HashMap<>();
    private final Map<Place, EntryState> shown = new HashMap<>();
    private final Map<String, Map<Place, EntryState>> images = new TreeMap<>();
    private final Map<Long, Long> exact = new HashMap<>();
    private final Map<Long, Long> stored = new HashMap<>();
    private final Set<Long> unsettled = new HashSet<>();

    EntryState entry(Place place) {
        return entries.getOrDefault(place, EntryState.NONE);
    }

    Map<Place, EntryState> entries() {
        return entries;
    }

    Map<String, Map<Place, EntryState>> images() {
        return images;
    }

    /** What the trace has shown where it differs from the model for a while. */
    Map<Place, EntryState> shown() {
        return shown;
    }

    EntryState shownAt(Place place) {
        EntryState state = shown.get(place);
        return state != null ? state : entry(place);
    }

    void show(Place place, EntryState state) {
        if (state.equals(entry(place))) {
            shown.remove(place);
        } else {
            shown.put(place, state);
        }
    }

    long exact(long host) {
        return exact.getOrDefault(host, 0L);
    }

    long stored(long host) {
        return stored.getOrDefault(host, 0L);
    }

    void store(long host, long value) {
        stored.put(host, value);
        note(host);
    }

    Set<Long> unsettled() {
        return unsettled;
    }

    private void note(long host) {
        if (exact(host) == stored(host)) {
            unsettled.remove(host);
        } else {
            unsettled.add(host);
        }
    }

    /** Counts or uncounts the references of one entry. */
    void refer(EntryState state, int change) {
        for (long host = state.host(); state.hasHost() && host <= state.last(); host++) {
            exact.merge(host, (long) change, Long::sum);
            if (state.isCompressed()) {
                streams.merge(host, change, Integer::sum);
            }
            note(host);
        }
    }

    /** LINK and RELEASE. */
    void replace(Place place, EntryState after) {
        EntryState before = entry(place);
        if (!before.sameHosts(after)) {
            refer(before, -1);
            refer(after, 1);
        }
        set(place, after);
    }

    /** Changes an entry without counting. */
    void set(Place place, EntryState state) {
        if (state.equals(EntryState.NONE)) {
            entries.remove(place);
        } else {
            entries.put(place, state);
        }
    }

    @Override
    public boolean isFree(long host) {
        return exact(host) == 0;
    }

    @Override
    public boolean takesStream(long host) {
        return isFree(host) || streams.getOrDefault(host, 0) == exact(host);
    }
}
