package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.ImageReading.Root;
import dev.qcow2.spec.trace.TraceEvent.Count;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What differs between two readings of an image. */
final class ImageChanges {

    private ImageChanges() {}

    /** The entries that differ, tables before clusters. */
    static List<Entry> entries(ImageReading before, Root old, ImageReading after, Root now) {
        List<Entry> changes = new ArrayList<>();
        if (!Arrays.equals(old.l1(), now.l1())) {
            for (int i = 0; i < Math.max(old.entries(), now.entries()); i++) {
                long oldWord = old.word(i);
                long newWord = now.word(i);
                if (oldWord != newWord) {
                    changes.add(new Entry(Place.table(i), before.facts.root(oldWord), after.facts.root(newWord)));
                }
            }
        }
        Set<Integer> indexes = new TreeSet<>(old.tables().keySet());
        indexes.addAll(now.tables().keySet());
        for (int index : indexes) {
            byte[] oldTable = old.tables().get(index);
            byte[] newTable = now.tables().get(index);
            if (oldTable != newTable) {
                compare(before, oldTable, after, newTable, (long) index << after.facts.tableBits(), changes);
            }
        }
        return changes;
    }

    private static void compare(
            ImageReading before,
            byte @Nullable [] old,
            ImageReading after,
            byte @Nullable [] now,
            long firstCluster,
            List<Entry> changes) {
        byte[] zeros = new byte[after.facts.clusterSize()];
        byte[] one = old == null || old.length == 0 ? zeros : old;
        byte[] other = now == null || now.length == 0 ? zeros : now;
        int slotBytes = after.facts.entryBytes();
        int length = Math.min(one.length, other.length);
        for (int at = 0; at < length; ) {
            int mismatch = Arrays.mismatch(one, at, length, other, at, length);
            if (mismatch < 0) {
                return;
            }
            int slot = (at + mismatch) / slotBytes;
            EntryState was = before.entry(one, slot);
            EntryState is = after.entry(other, slot);
            if (!was.equals(is)) {
                changes.add(new Entry(Place.cluster(firstCluster + slot), was, is));
            }
            at = (slot + 1) * slotBytes;
        }
    }

    /** The counts that differ. */
    static NavigableMap<Long, Count> counts(ImageReading before, ImageReading now) {
        Set<Long> hosts = new TreeSet<>();
        Set<Integer> indexes = new HashSet<>(before.blocks.keySet());
        indexes.addAll(now.blocks.keySet());
        for (int index : indexes) {
            byte[] old = before.blocks.get(index);
            byte[] fresh = now.blocks.get(index);
            if (old != fresh) {
                addDifferent(now.facts, index, old, fresh, hosts);
            }
        }
        if (before.structures != now.structures) {
            before.structures.stream()
                    .filter(host -> !now.structures.contains(host))
                    .forEach(hosts::add);
            now.structures.stream()
                    .filter(host -> !before.structures.contains(host))
                    .forEach(hosts::add);
        }
        NavigableMap<Long, Count> changes = new TreeMap<>();
        for (long host : hosts) {
            long was = before.count(host);
            long is = now.count(host);
            if (was != is) {
                changes.put(host, new Count(host, was, is));
            }
        }
        return changes;
    }

    private static void addDifferent(
            ImageFacts facts, int block, byte @Nullable [] old, byte @Nullable [] now, Set<Long> hosts) {
        byte[] zeros = new byte[facts.clusterSize()];
        byte[] one = old == null || old.length == 0 ? zeros : old;
        byte[] other = now == null || now.length == 0 ? zeros : now;
        long first = (long) block << facts.blockBits();
        int order = facts.countOrder();
        int length = Math.min(one.length, other.length);
        for (int at = 0; at < length; ) {
            int mismatch = Arrays.mismatch(one, at, length, other, at, length);
            if (mismatch < 0) {
                return;
            }
            int place = at + mismatch;
            long index = order >= 3 ? place >> (order - 3) : (long) place << (3 - order);
            for (int i = 0; i < (order >= 3 ? 1 : 1 << (3 - order)); i++) {
                hosts.add(first + index + i);
            }
            at = order >= 3 ? (int) (index + 1) << (order - 3) : place + 1;
        }
    }

    /**
     * Puts changes into an order in which they can have been made: who gives a host cluster up comes before who takes it. What
     * goes round in a circle stays as it is.
     */
    static List<Entry> inOrder(List<Entry> changes) {
        Map<Long, List<Entry>> givers = new HashMap<>();
        for (Entry change : changes) {
            EntryState old = change.before();
            for (long host = old.host(); old.hasHost() && host <= old.last(); host++) {
                // Streams may stand beside each other, so they need not wait for each other.
                if (!change.after().refersTo(host)) {
                    givers.computeIfAbsent(host, key -> new ArrayList<>()).add(change);
                }
            }
        }
        if (givers.isEmpty()) {
            return changes;
        }
        Set<Entry> ordered = new LinkedHashSet<>();
        changes.forEach(change -> place(change, givers, ordered));
        return List.copyOf(ordered);
    }

    /** Long requests make long chains, so they are followed without recursion. */
    private static void place(Entry change, Map<Long, List<Entry>> givers, Set<Entry> ordered) {
        Set<Entry> open = new HashSet<>();
        Deque<Entry> waiting = new ArrayDeque<>(List.of(change));
        while (!waiting.isEmpty()) {
            Entry top = waiting.peek();
            boolean first = open.add(top);
            if (!first || !pushGivers(top, givers, open, ordered, waiting)) {
                waiting.pop();
                ordered.add(top);
            }
        }
    }

    private static boolean pushGivers(
            Entry taker, Map<Long, List<Entry>> givers, Set<Entry> open, Set<Entry> ordered, Deque<Entry> waiting) {
        boolean pushed = false;
        EntryState now = taker.after();
        for (long host = now.host(); now.hasHost() && host <= now.last(); host++) {
            if (!taker.before().refersTo(host)) {
                for (Entry giver : givers.getOrDefault(host, List.of())) {
                    boolean streams = giver.before().isCompressed() && now.isCompressed();
                    if (!streams && !open.contains(giver) && !ordered.contains(giver)) {
                        waiting.push(giver);
                        pushed = true;
                    }
                }
            }
        }
        return pushed;
    }
}
