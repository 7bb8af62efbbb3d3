package dev.qcow2.spec.trace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Every field of the file with all the values that it may have after a power cut: a write adds one, a flush leaves the newest.
 */
final class CutState {

    /**
     * A field that refers to host clusters.
     *
     * @param snapshot id of the snapshot whose table it is in, or empty for the active ones
     * @param place which
     */
    record Key(String snapshot, Place place) {

        boolean isActive() {
            return snapshot.isEmpty();
        }

        @Override
        public String toString() {
            return isActive() ? place.toString() : place + " of snapshot " + snapshot;
        }
    }

    private static final List<EntryState> NOTHING = List.of(EntryState.NONE);

    private final Map<Key, List<EntryState>> entries = new HashMap<>();
    private final Set<Key> unflushed = new HashSet<>();
    private final Map<Long, Set<Key>> referrers = new HashMap<>();
    private final Map<Long, Long> counts = new HashMap<>();
    private final Map<Long, Long> leastCounts = new HashMap<>();
    private final Set<Long> pending = new HashSet<>();
    private boolean dirty;
    private boolean mayBeClean = true;

    EntryState now(Key key) {
        List<EntryState> may = may(key);
        return may.get(may.size() - 1);
    }

    /** What may be found, the newest last. */
    List<EntryState> may(Key key) {
        return entries.getOrDefault(key, NOTHING);
    }

    void put(Key key, EntryState state) {
        List<EntryState> may = new ArrayList<>(may(key));
        may.remove(state);
        may.add(state);
        entries.put(key, may);
        unflushed.add(key);
        for (long host = state.host(); state.hasHost() && host <= state.last(); host++) {
            referrers.computeIfAbsent(host, h -> new HashSet<>()).add(key);
        }
    }

    void putCount(long host, long value) {
        leastCounts.merge(host, Math.min(value, counts.getOrDefault(host, 0L)), Math::min);
        counts.put(host, value);
    }

    void putDirty(boolean set) {
        mayBeClean |= !set;
        dirty = set;
    }

    void write(long host) {
        pending.add(host);
    }

    boolean isPending(long host) {
        return pending.contains(host);
    }

    boolean mayBeClean() {
        return mayBeClean;
    }

    /** The least count that may be found. */
    long leastCount(long host) {
        return leastCounts.getOrDefault(host, counts.getOrDefault(host, 0L));
    }

    /** The fields that may refer to a host cluster. */
    Set<Key> referrers(long host) {
        return referrers.getOrDefault(host, Set.of());
    }

    void flush() {
        for (Key key : unflushed) {
            List<EntryState> may = may(key);
            EntryState now = may.get(may.size() - 1);
            for (EntryState old : may.subList(0, may.size() - 1)) {
                forget(key, old, now);
            }
            entries.put(key, List.of(now));
        }
        unflushed.clear();
        leastCounts.clear();
        pending.clear();
        mayBeClean = !dirty;
    }

    private void forget(Key key, EntryState old, EntryState now) {
        for (long host = old.host(); old.hasHost() && host <= old.last(); host++) {
            if (!now.refersTo(host)) {
                referrers(host).remove(key);
            }
        }
    }
}
