package dev.qcow2.spec.tla;

import dev.qcow2.spec.trace.EntryState;
import dev.qcow2.spec.trace.Place;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Small numbers for the places, host clusters and streams of one segment: which names host clusters have makes no
 * difference to a model.
 */
final class TraceNames {

    private final Map<Place, Integer> places = new TreeMap<>();
    private final Map<Long, Integer> hosts = new HashMap<>();
    private final Map<Long, Map<Long, Integer>> packs = new HashMap<>();
    private final Map<String, String> states;
    private final int subclusters;
    private int mostPacks;

    /**
     * Starts without names.
     *
     * @param subclusters of the image
     * @param states definitions for subcluster states, which all segments share: text by name
     */
    TraceNames(int subclusters, Map<String, String> states) {
        this.subclusters = subclusters;
        this.states = states;
    }

    /** Learns that a place occurs; all have to be known before the first is numbered. */
    void learn(Place place) {
        places.put(place, 0);
    }

    /** Learns the host clusters of an entry. */
    void learn(EntryState state) {
        for (long host = state.host(); state.hasHost() && host <= state.last(); host++) {
            host(host);
        }
        if (state.isCompressed()) {
            pack(state);
        }
    }

    int place(Place place) {
        if (places.getOrDefault(place, 1) == 0) {
            int next = 1;
            for (Map.Entry<Place, Integer> entry : places.entrySet()) {
                entry.setValue(next++);
            }
        }
        return places.getOrDefault(place, 0);
    }

    int placeCount() {
        return places.size();
    }

    Iterable<Place> places() {
        return places.keySet();
    }

    int host(long host) {
        return hosts.computeIfAbsent(host, key -> hosts.size() + 1);
    }

    int hostCount() {
        return hosts.size();
    }

    int packCount() {
        return mostPacks;
    }

    /** Streams that never share a host cluster may have the same number, so few are needed. */
    private int pack(EntryState state) {
        long stream = (state.host() << 21) + state.stream();
        Map<Long, Integer> first = packs.computeIfAbsent(state.host(), key -> new LinkedHashMap<>());
        Map<Long, Integer> last = packs.computeIfAbsent(state.last(), key -> new LinkedHashMap<>());
        Integer known = first.get(stream);
        if (known == null) {
            int number = 1;
            while (first.containsValue(number) || last.containsValue(number)) {
                number++;
            }
            known = number;
            mostPacks = Math.max(mostPacks, number);
            first.put(stream, number);
        }
        last.putIfAbsent(stream, known);
        return known;
    }

    /** The entry as the models write it. */
    String entry(EntryState state, boolean table) {
        if (state.equals(EntryState.NONE)) {
            return "None";
        }
        int tail = state.last() == state.host() ? 0 : host(state.last());
        return "E(" + (state.hasHost() ? host(state.host()) : 0) + ", " + truth(state.copied()) + ", "
                + subclusterState(state, table) + ", " + (state.isCompressed() ? pack(state) : 0) + ", " + tail + ")";
    }

    static String truth(boolean value) {
        return value ? "TRUE" : "FALSE";
    }

    private String subclusterState(EntryState state, boolean table) {
        StringBuilder tuple = new StringBuilder("<<");
        for (int i = 0; i < subclusters; i++) {
            boolean data = state.isCompressed() || table || (state.data() >>> i & 1) != 0;
            boolean zero = (state.zero() >>> i & 1) != 0;
            String word = data && zero ? "both" : data ? "data" : zero ? "zero" : "none";
            tuple.append(i == 0 ? "" : ", ").append('"').append(word).append('"');
        }
        String text = tuple.append(">>").toString();
        return states.computeIfAbsent(text, key -> "S" + (states.size() + 1));
    }
}
