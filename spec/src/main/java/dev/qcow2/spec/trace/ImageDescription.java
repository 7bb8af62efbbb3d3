package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.ImageReading.Root;
import dev.qcow2.spec.trace.TraceEvent.Counted;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceEvent.Holds;
import dev.qcow2.spec.trace.TraceEvent.Image;
import dev.qcow2.spec.trace.TraceEvent.Ready;
import dev.qcow2.spec.trace.TraceEvent.Saved;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Describes all that an image holds: the beginning of a trace. */
final class ImageDescription {

    private static final int MOST_HOSTS = 4;

    private ImageDescription() {}

    static List<TraceEvent> of(ImageReading reading) {
        ImageFacts facts = reading.facts;
        List<TraceEvent> events = new ArrayList<>();
        events.add(new Image(facts.version(), facts.clusterBits(), facts.subclusters(), facts.backed(), facts.size()));
        Set<Long> hosts = new TreeSet<>();
        for (Entry entry : all(reading, reading.active)) {
            events.add(new Holds(entry.place(), entry.after()));
            addHosts(entry.after(), hosts);
        }
        reading.snapshots.forEach((id, root) -> {
            for (Entry entry : all(reading, root)) {
                events.add(new Saved(id, entry.place(), entry.after()));
                addHosts(entry.after(), hosts);
            }
            if (root.tables().isEmpty()) {
                // So that an empty snapshot is known too.
                events.add(new Saved(id, Place.table(0), EntryState.NONE));
            }
        });
        hosts.forEach(host -> events.add(new Counted(host, reading.count(host))));
        events.add(new Ready());
        return events;
    }

    private static List<Entry> all(ImageReading reading, Root root) {
        return ImageChanges.entries(reading, Root.EMPTY, reading, root);
    }

    private static void addHosts(EntryState state, Set<Long> hosts) {
        // Compressed data that claims to be longer is broken, and judged so by its first clusters already.
        for (long host = state.host();
                state.hasHost() && host <= state.last() && host < state.host() + MOST_HOSTS;
                host++) {
            hosts.add(host);
        }
    }
}
