package dev.qcow2.spec.tla;

import dev.qcow2.spec.trace.EntryState;
import dev.qcow2.spec.trace.Place;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceEvent.Area;
import dev.qcow2.spec.trace.TraceEvent.Counted;
import dev.qcow2.spec.trace.TraceEvent.Holds;
import dev.qcow2.spec.trace.TraceEvent.Host;
import dev.qcow2.spec.trace.TraceEvent.HostVerb;
import dev.qcow2.spec.trace.TraceEvent.Put;
import dev.qcow2.spec.trace.TraceEvent.PutCount;
import dev.qcow2.spec.trace.TraceEvent.PutDirty;
import dev.qcow2.spec.trace.TraceEvent.PutSaved;
import dev.qcow2.spec.trace.TraceEvent.Ready;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Saved;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes the host's level of traces as the module {@code Trace} that {@code PowerCutTrace} reads. */
final class PowerCutTraceModule implements TraceChecker.Writer {

    @Override
    public String module() {
        return "PowerCutTrace";
    }

    @Override
    public List<Integer> judged(TraceSegment segment) {
        List<Integer> judged = new ArrayList<>();
        boolean ready = false;
        boolean any = false;
        for (int i = 0; i < segment.events().size(); i++) {
            TraceEvent event = segment.events().get(i);
            boolean isFlush = event instanceof Host host && host.verb() == HostVerb.FLUSH;
            boolean isBytes =
                    event instanceof Host host && host.area() == Area.DATA && host.verb() != HostVerb.TRUNCATE;
            boolean isPut = event instanceof Put
                    || event instanceof PutSaved
                    || event instanceof PutCount
                    || event instanceof PutDirty;
            any |= isBytes || isPut;
            if (ready && (isFlush || isBytes || isPut || event instanceof Request)) {
                judged.add(i);
            }
            ready |= event instanceof Ready;
        }
        return any ? judged : List.of();
    }

    /** A field that refers to a host cluster. */
    private record Key(String snapshot, Place place, boolean tail) {}

    /** The small numbers of one segment. */
    private static final class Names {
        final Map<Key, Integer> keys = new LinkedHashMap<>();
        final Map<Place, Integer> places = new HashMap<>();
        final Map<Long, Integer> hosts = new HashMap<>();
        final Map<Integer, String> firstEntries = new HashMap<>();
        final Map<Integer, Long> firstCounts = new HashMap<>();

        int key(Key key) {
            places.computeIfAbsent(key.place(), p -> places.size() + 1);
            return keys.computeIfAbsent(key, k -> keys.size() + 1);
        }

        int host(long host) {
            return hosts.computeIfAbsent(host, h -> hosts.size() + 1);
        }
    }

    @Override
    public String text(List<TraceSegment> segments) {
        List<List<String>> events = new ArrayList<>();
        List<Names> names = new ArrayList<>();
        for (TraceSegment segment : segments) {
            Names known = new Names();
            segment.events().forEach(event -> describe(event, known));
            events.add(judged(segment).stream()
                    .map(i -> record(segment.events().get(i), segment.image().clusterBits(), known))
                    .toList());
            names.add(known);
        }
        TraceModuleText module = new TraceModuleText();
        module.define("E(h, c, p, d)", "[host |-> h, copied |-> c, packed |-> p, data |-> d]")
                .define("None", "E(0, FALSE, FALSE, {})")
                .define("KeyCount", most(names.stream().map(n -> n.keys.size()).toList()))
                .define(
                        "HostCount",
                        most(names.stream().map(n -> n.hosts.size()).toList()))
                .events(events)
                .define("PlaceNumbers", perKey(names, (n, key) -> String.valueOf(n.places.get(key.place()))))
                .define("PlaceOf(t, k)", "IF k <= Len(PlaceNumbers[t]) THEN PlaceNumbers[t][k] ELSE 0")
                .define(
                        "SavedKeys",
                        perKey(
                                names,
                                (n, key) -> TraceNames.truth(!key.snapshot().isEmpty())))
                .define("IsSaved(t, k)", "k <= Len(SavedKeys[t]) /\\ SavedKeys[t][k]")
                .define("Entries", perKey(names, (n, key) -> n.firstEntries.getOrDefault(n.keys.get(key), "None")))
                .define("FirstEntry(t, k)", "IF k <= Len(Entries[t]) THEN Entries[t][k] ELSE None")
                .define(
                        "Counts",
                        TraceModuleText.tuple(
                                names.stream().map(PowerCutTraceModule::counts).toList()))
                .define("FirstCount(t, h)", "IF h <= Len(Counts[t]) THEN Counts[t][h] ELSE 0");
        return module.toString();
    }

    private static int most(List<Integer> sizes) {
        return Math.max(1, sizes.stream().mapToInt(size -> size).max().orElse(1));
    }

    /** Says something of each key. */
    private interface OfKey {
        String say(Names names, Key key);
    }

    private static String perKey(List<Names> names, OfKey said) {
        return TraceModuleText.tuple(names.stream()
                .map(n -> n.keys.keySet().stream()
                        .map(key -> said.say(n, key))
                        .collect(Collectors.joining(", ", "<<", ">>")))
                .toList());
    }

    private static String counts(Names names) {
        List<String> counts = new ArrayList<>();
        for (int host = 1; host <= names.hosts.size(); host++) {
            counts.add(String.valueOf(names.firstCounts.getOrDefault(host, 0L)));
        }
        return "<<" + String.join(", ", counts) + ">>";
    }

    private static void describe(TraceEvent event, Names names) {
        if (event instanceof Holds holds) {
            first(new Key("", holds.place(), false), holds.state(), names);
        } else if (event instanceof Saved saved) {
            first(new Key(saved.snapshot(), saved.place(), false), saved.state().withCopied(false), names);
        } else if (event instanceof Counted counted) {
            names.firstCounts.put(names.host(counted.host()), counted.value());
        }
    }

    private static void first(Key key, EntryState state, Names names) {
        names.firstEntries.put(names.key(key), entry(state, state.host(), names));
        if (state.last() != state.host()) {
            Key tail = new Key(key.snapshot(), key.place(), true);
            names.firstEntries.put(names.key(tail), entry(state, state.last(), names));
        }
    }

    private static String entry(EntryState state, long host, Names names) {
        if (!state.hasHost()) {
            return "None";
        }
        List<String> data = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            if (state.isCompressed() ? i == 0 : (state.data() >>> i & 1) != 0) {
                data.add(String.valueOf(i + 1));
            }
        }
        return "E(" + names.host(host) + ", " + TraceNames.truth(state.copied()) + ", "
                + TraceNames.truth(state.isCompressed()) + ", {" + String.join(", ", data) + "})";
    }

    private static String record(TraceEvent event, int clusterBits, Names names) {
        if (event instanceof Request request) {
            return "[op |-> \"request\", verb |-> "
                    + TraceModuleText.text(request.verb().word()) + "]";
        } else if (event instanceof Put put) {
            return put(new Key("", put.place(), false), put.state(), names);
        } else if (event instanceof PutSaved put) {
            return put(new Key(put.snapshot(), put.place(), false), put.state().withCopied(false), names);
        } else if (event instanceof PutCount put) {
            return "[op |-> \"count\", host |-> " + names.host(put.host()) + ", value |-> " + put.value() + "]";
        } else if (event instanceof PutDirty put) {
            return "[op |-> \"dirty\", set |-> " + TraceNames.truth(put.set()) + "]";
        } else if (event instanceof Host host && host.verb() != HostVerb.FLUSH) {
            List<String> hosts = new ArrayList<>();
            long last = (host.offset() + host.length() - 1) >>> clusterBits;
            for (long at = host.offset() >>> clusterBits; at <= last; at++) {
                hosts.add(String.valueOf(names.host(at)));
            }
            return "[op |-> \"bytes\", how |-> "
                    + TraceModuleText.text(host.verb().word()) + ", hosts |-> {" + String.join(", ", hosts) + "}]";
        }
        return "[op |-> \"flush\"]";
    }

    private static String put(Key key, EntryState state, Names names) {
        Key tail = new Key(key.snapshot(), key.place(), true);
        boolean hasTail = state.last() != state.host();
        String second = hasTail || names.keys.containsKey(tail)
                ? ", tail |-> " + names.key(tail) + ", tailState |-> "
                        + (hasTail ? entry(state, state.last(), names) : "None")
                : ", tail |-> 0, tailState |-> None";
        return "[op |-> \"entry\", key |-> " + names.key(key) + ", state |-> " + entry(state, state.host(), names)
                + second + "]";
    }
}
