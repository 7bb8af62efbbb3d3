package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.clause.Clause;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Collects findings: counts all, keeps the first. */
final class Findings {

    private final int capacity;
    private final Map<Kind, Long> counts = new EnumMap<>(Kind.class);
    private final List<Finding> kept = new ArrayList<>();

    Findings(int capacity) {
        this.capacity = capacity;
    }

    void add(Kind kind, long times, long hostOffset, long guestOffset, Clause clause, Supplier<String> message) {
        if (times == 0) {
            return;
        }
        counts.merge(kind, times, Long::sum);
        // A hostile image has millions of findings; text for all of them would take longer than the audit.
        if (kept.size() < capacity) {
            String repeated = times == 1 ? "" : " (" + times + " times)";
            kept.add(new Finding(kind, hostOffset, guestOffset, clause, message.get() + repeated));
        }
    }

    long count(Kind kind) {
        return counts.getOrDefault(kind, 0L);
    }

    List<Finding> kept() {
        return kept;
    }
}
