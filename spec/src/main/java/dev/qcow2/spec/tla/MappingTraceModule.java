package dev.qcow2.spec.tla;

import dev.qcow2.spec.trace.EntryState;
import dev.qcow2.spec.trace.Place;
import dev.qcow2.spec.trace.RequestPart;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceEvent.Count;
import dev.qcow2.spec.trace.TraceEvent.Counted;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceEvent.Holds;
import dev.qcow2.spec.trace.TraceEvent.Ready;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Saved;
import dev.qcow2.spec.trace.TraceEvent.SavedEntry;
import dev.qcow2.spec.trace.TraceEvent.Size;
import dev.qcow2.spec.trace.TraceEvent.Snapshot;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import dev.qcow2.spec.trace.TraceText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/** Writes the guest's level of traces as the module {@code Trace} that {@code MappingTrace} reads. */
final class MappingTraceModule implements TraceChecker.Writer {

    private static final Request NOTHING_ASKED = new Request(Verb.LOOK, 0, 0, "");

    @Override
    public String module() {
        return "MappingTrace";
    }

    @Override
    public List<Integer> judged(TraceSegment segment) {
        List<Integer> judged = new ArrayList<>();
        boolean ready = false;
        for (int i = 0; i < segment.events().size(); i++) {
            TraceEvent event = segment.events().get(i);
            ready |= event instanceof Ready;
            if (ready && TraceText.onGuestLevel(event)) {
                judged.add(i);
            }
        }
        return judged;
    }

    /** What is known of one segment before its events are written. */
    private record Known(
            TraceNames names,
            Map<Place, EntryState> first,
            Map<Long, Long> counts,
            Map<String, Map<Place, EntryState>> saved) {}

    @Override
    public String text(List<TraceSegment> segments) {
        Map<String, String> states = new LinkedHashMap<>();
        int subclusters = segments.get(0).image().subclusters();
        List<Known> known = segments.stream()
                .map(segment -> learn(segment, new TraceNames(subclusters, states)))
                .toList();
        Set<String> saves = new LinkedHashSet<>();
        List<List<String>> events = new ArrayList<>();
        for (int i = 0; i < segments.size(); i++) {
            events.add(new Events(segments.get(i), known.get(i).names(), saves).list(judged(segments.get(i))));
            saves.addAll(known.get(i).saved().keySet());
        }
        List<String> entries =
                known.stream().map(MappingTraceModule::firstEntries).toList();
        List<String> counts =
                known.stream().map(MappingTraceModule::firstCounts).toList();
        List<String> images = known.stream().map(one -> firstImages(one, saves)).toList();
        TraceModuleText module = new TraceModuleText();
        states.forEach((value, name) -> module.define(name, value));
        module.define("NoState", "[s \\in 1 .. " + subclusters + " |-> \"none\"]")
                .define("E(h, c, s, p, t)", "[host |-> h, copied |-> c, state |-> s, pack |-> p, tail |-> t]")
                .define("None", "E(0, FALSE, NoState, 0, 0)")
                .define("Version", segments.get(0).image().version())
                .define("Backed", TraceNames.truth(segments.get(0).image().backed()))
                .define("SubclusterCount", subclusters)
                .define("PlaceCount", most(known, k -> k.names().placeCount()))
                .define("HostCount", most(known, k -> k.names().hostCount()))
                .define("PackCount", most(known, k -> k.names().packCount()))
                .define("Saves", saves.stream().map(TraceModuleText::text).collect(Collectors.joining(", ", "{", "}")))
                .define("NoRequest", "[op |-> \"request\", verb |-> \"look\"]")
                .events(events)
                .define("Firsts", TraceModuleText.tuple(entries))
                .define(
                        "FirstEntries(t)",
                        "[p \\in 1 .. PlaceCount |-> IF p <= Len(Firsts[t]) THEN Firsts[t][p] ELSE None]")
                .define("Counts", TraceModuleText.tuple(counts))
                .define("FirstCounts(t)", "[h \\in 1 .. HostCount |-> IF h <= Len(Counts[t]) THEN Counts[t][h] ELSE 0]")
                .define("Images", TraceModuleText.tuple(images))
                .define(
                        "FirstImage(t, s)",
                        "LET i == Images[t][s] IN [taken |-> i.taken, size |-> IF i.taken THEN PlaceCount ELSE 0,"
                                + " l2 |-> [p \\in 1 .. PlaceCount |-> IF p <= Len(i.l2) THEN i.l2[p] ELSE None]]");
        return module.toString();
    }

    private static int most(List<Known> known, ToIntFunction<Known> size) {
        return Math.max(1, known.stream().mapToInt(size).max().orElse(1));
    }

    private static Known learn(TraceSegment segment, TraceNames names) {
        Known known = new Known(names, new HashMap<>(), new HashMap<>(), new LinkedHashMap<>());
        for (TraceEvent event : segment.events()) {
            if (event instanceof Holds holds) {
                names.learn(holds.place());
                names.learn(holds.state());
                known.first().put(holds.place(), holds.state());
            } else if (event instanceof Saved saved) {
                names.learn(saved.place());
                names.learn(saved.state());
                known.saved()
                        .computeIfAbsent(saved.snapshot(), id -> new HashMap<>())
                        .put(saved.place(), saved.state());
            } else if (event instanceof Counted counted) {
                names.host(counted.host());
                known.counts().put(counted.host(), counted.value());
            } else if (event instanceof Entry entry) {
                names.learn(entry.place());
                names.learn(entry.before());
                names.learn(entry.after());
            } else if (event instanceof SavedEntry entry) {
                names.learn(entry.place());
                names.learn(entry.before());
                names.learn(entry.after());
            } else if (event instanceof Count count) {
                names.host(count.host());
            }
        }
        return known;
    }

    private static String firstEntries(Known known) {
        return entries(known.names(), known.first());
    }

    private static String entries(TraceNames names, Map<Place, EntryState> entries) {
        List<String> list = new ArrayList<>();
        for (Place place : names.places()) {
            EntryState state = entries.getOrDefault(place, EntryState.NONE);
            list.add(names.entry(state, place.kind() == Place.Kind.TABLE));
        }
        return TraceModuleText.tuple(list);
    }

    private static String firstCounts(Known known) {
        Long[] counts = new Long[known.names().hostCount()];
        Arrays.fill(counts, 0L);
        known.counts().forEach((host, value) -> counts[known.names().host(host) - 1] = value);
        return TraceModuleText.tuple(Arrays.stream(counts).map(String::valueOf).toList());
    }

    private static String firstImages(Known known, Set<String> saves) {
        if (saves.isEmpty()) {
            return "<<>>";
        }
        List<String> images = new ArrayList<>();
        for (String save : saves) {
            Map<Place, EntryState> saved = known.saved().get(save);
            Map<Place, EntryState> unflagged = new HashMap<>();
            if (saved != null) {
                saved.forEach((place, state) -> unflagged.put(place, state.withCopied(false)));
            }
            String l2 = saved == null ? "<<>>" : entries(known.names(), unflagged);
            images.add("(" + TraceModuleText.text(save) + " :> [taken |-> " + TraceNames.truth(saved != null)
                    + ", l2 |-> " + l2 + "])");
        }
        return String.join(" @@ ", images);
    }

    /** Writes the events of one segment. */
    private static final class Events {

        private final TraceSegment segment;
        private final TraceNames names;
        private final Set<String> saves;
        private Request request = NOTHING_ASKED;
        private long diskSize;
        /** Machine state lies behind it: while a resize is under way, behind the lower of the two ends. */
        private long lowerEnd;

        Events(TraceSegment segment, TraceNames names, Set<String> saves) {
            this.segment = segment;
            this.names = names;
            this.saves = saves;
            this.diskSize = segment.image().size();
            this.lowerEnd = diskSize;
        }

        List<String> list(List<Integer> judged) {
            return judged.stream().map(i -> record(segment.events().get(i))).toList();
        }

        private String record(TraceEvent event) {
            if (event instanceof Request asked) {
                request = asked;
                lowerEnd = asked.verb() == Verb.RESIZE ? Math.min(diskSize, asked.offset()) : diskSize;
                diskSize = asked.verb() == Verb.RESIZE ? asked.offset() : diskSize;
                return "[op |-> \"request\", verb |-> "
                        + TraceModuleText.text(asked.verb().word()) + "]";
            } else if (event instanceof Size size) {
                diskSize = size.bytes();
                lowerEnd = diskSize;
                return "[op |-> \"size\"]";
            } else if (event instanceof Entry entry) {
                return entry(entry);
            } else if (event instanceof Count count) {
                return "[op |-> \"count\", host |-> " + names.host(count.host()) + ", before |-> " + count.before()
                        + ", after |-> " + count.after() + "]";
            } else if (event instanceof SavedEntry saved) {
                saves.add(saved.snapshot());
                boolean table = saved.place().kind() == Place.Kind.TABLE;
                return "[op |-> \"saved-entry\", snapshot |-> " + TraceModuleText.text(saved.snapshot())
                        + ", place |-> "
                        + names.place(saved.place()) + ", before |-> " + names.entry(saved.before(), table)
                        + ", after |-> " + names.entry(saved.after(), table) + "]";
            } else if (event instanceof Snapshot snapshot) {
                saves.add(snapshot.snapshot());
                return "[op |-> \"snapshot\", fate |-> "
                        + TraceModuleText.text(snapshot.fate().word()) + ", snapshot |-> "
                        + TraceModuleText.text(snapshot.snapshot()) + "]";
            }
            return "[op |-> " + TraceModuleText.text(TraceText.line(event)) + "]";
        }

        private String entry(Entry entry) {
            Place place = entry.place();
            boolean table = place.kind() == Place.Kind.TABLE;
            RequestPart part =
                    table ? RequestPart.NOTHING : RequestPart.of(request, segment.image(), place.index(), diskSize);
            List<String> covered = new ArrayList<>();
            for (int i = 0; i < segment.image().subclusters(); i++) {
                if ((part.covered() >>> i & 1) != 0) {
                    covered.add(String.valueOf(i + 1));
                }
            }
            boolean touches = part.touched() != 0;
            int first = touches ? Integer.numberOfTrailingZeros(part.touched()) + 1 : 1;
            int last = touches ? 32 - Integer.numberOfLeadingZeros(part.touched()) : 1;
            return "[op |-> \"entry\", place |-> " + names.place(place) + ", before |-> "
                    + names.entry(entry.before(), table)
                    + ", after |-> " + names.entry(entry.after(), table) + ", table |-> " + TraceNames.truth(table)
                    + ", behind |-> " + TraceNames.truth(RequestPart.isBehind(place, segment.image(), lowerEnd))
                    + ", touched |-> " + TraceNames.truth(touches) + ", first |-> " + first + ", last |-> " + last
                    + ", whole |-> " + TraceNames.truth(part.whole()) + ", covered |-> {" + String.join(", ", covered)
                    + "}]";
        }
    }
}
