package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.TraceEvent.Count;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The way that counts took while entries changed one after the other. Before and after alone do not show it: a host cluster of
 * compressed data may get a reference before it loses another one.
 */
final class CountPath {

    private final List<Count> raised = new ArrayList<>();
    private final List<Count> lowered = new ArrayList<>();

    /**
     * Finds the way.
     *
     * @param before the image before
     * @param now the image after
     * @param steps entries that change one after the other, each of which needs its counts
     */
    CountPath(ImageReading before, ImageReading now, List<Entry> steps) {
        Map<Long, Count> net = new TreeMap<>(ImageChanges.counts(before, now));
        Map<Long, Long> peaks = peaks(steps);
        peaks.keySet().forEach(host -> net.computeIfAbsent(host, h -> new Count(h, before.count(h), now.count(h))));
        for (Count count : net.values()) {
            long peak = count.before() + peaks.getOrDefault(count.host(), 0L);
            long highest = Long.compareUnsigned(peak, count.after()) > 0 ? peak : count.after();
            if (Long.compareUnsigned(highest, count.before()) > 0) {
                raised.add(new Count(count.host(), count.before(), highest));
            } else {
                highest = count.before();
            }
            if (highest != count.after()) {
                lowered.add(new Count(count.host(), highest, count.after()));
            }
        }
    }

    /** How far the references rise above what they were at first. */
    private static Map<Long, Long> peaks(List<Entry> steps) {
        Map<Long, Long> running = new HashMap<>();
        Map<Long, Long> peaks = new HashMap<>();
        for (Entry step : steps) {
            if (!step.before().sameHosts(step.after())) {
                add(step.before(), -1, running);
                add(step.after(), 1, running);
                EntryState after = step.after();
                for (long host = after.host(); after.hasHost() && host <= after.last(); host++) {
                    peaks.merge(host, running.getOrDefault(host, 0L), Math::max);
                }
            }
        }
        peaks.values().removeIf(peak -> peak <= 0);
        return peaks;
    }

    private static void add(EntryState state, long change, Map<Long, Long> running) {
        for (long host = state.host(); state.hasHost() && host <= state.last(); host++) {
            running.merge(host, change, Long::sum);
        }
    }

    /** The counts that go up, before any entry changes. */
    List<Count> raised() {
        return raised;
    }

    /** The counts that go down, after the entries have changed. */
    List<Count> lowered() {
        return lowered;
    }
}
