package dev.qcow2.conformance.small;

import dev.qcow2.conformance.report.TextTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Who agreed on how many images, by rule. May be filled from several threads. */
final class SmallTally {

    private static final int MOST_LISTED = 20;

    private final List<String> judges;
    /** In the order of the rules; sound images come first. */
    private final Map<Optional<BrokenRule>, long[]> rows = new TreeMap<>(
            Comparator.comparing(rule -> rule.orElse(null), Comparator.nullsFirst(Comparator.naturalOrder())));

    private final List<String> disagreements = new ArrayList<>();
    private long disagreed;

    SmallTally(List<String> judges) {
        this.judges = List.copyOf(judges);
    }

    /** Notes an image. */
    synchronized void image(SmallCase small) {
        counts(small)[0]++;
    }

    /** Notes what a judge said of it. */
    synchronized void verdict(SmallCase small, String judge, Optional<String> wrong) {
        int column = 2 * judges.indexOf(judge) + 1;
        counts(small)[column]++;
        if (wrong.isEmpty()) {
            counts(small)[column + 1]++;
            return;
        }
        disagreed++;
        if (disagreements.size() < MOST_LISTED) {
            disagreements.add(judge + " on " + small + ": " + wrong.get().strip());
        }
    }

    private long[] counts(SmallCase small) {
        return rows.computeIfAbsent(small.rule(), key -> new long[1 + 2 * judges.size()]);
    }

    /** How many judgements were other than expected. */
    synchronized long disagreed() {
        return disagreed;
    }

    /** The first of them. */
    synchronized List<String> disagreements() {
        return List.copyOf(disagreements);
    }

    /** How many images there are. */
    synchronized long images() {
        return rows.values().stream().mapToLong(counts -> counts[0]).sum();
    }

    /** A row for each rule: how many of the images that a judge saw it agrees on. */
    synchronized TextTable table() {
        List<String> head = new ArrayList<>(List.of("broken rule", "clause", "images"));
        head.addAll(judges);
        TextTable table = new TextTable(head.toArray(new String[0]));
        rows.forEach((rule, counts) -> {
            List<String> cells = new ArrayList<>();
            cells.add(rule.map(BrokenRule::story).orElse("none"));
            cells.add(rule.map(broken -> broken.clause().id()).orElse(""));
            cells.add(Long.toString(counts[0]));
            for (int judge = 0; judge < judges.size(); judge++) {
                long seen = counts[2 * judge + 1];
                long agreed = counts[2 * judge + 2];
                cells.add(seen == agreed ? Long.toString(seen) : agreed + " of " + seen);
            }
            table.row(cells.toArray(new String[0]));
        });
        return table;
    }
}
