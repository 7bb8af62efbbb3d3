package dev.qcow2.spec.tla;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A behaviour that breaks a property.
 *
 * @param property name of the property, or "deadlock"
 * @param steps the states in order; the last one, or the step to it, is wrong
 */
public record Counterexample(String property, List<Step> steps) {

    /**
     * A state and how it was reached.
     *
     * @param number counted from 1
     * @param action name of the action, "begin" for the first state
     * @param state values by variable
     */
    public record Step(int number, String action, Map<String, TlaValue> state) {}

    /** Makes a counterexample; the list is copied. */
    public Counterexample {
        steps = List.copyOf(steps);
    }

    /**
     * Tells the behaviour step by step: the first state as a whole, after that what each step changed.
     *
     * @return lines of text
     */
    public String readable() {
        StringBuilder text = new StringBuilder("breaks " + property + " in " + steps.size() + " states\n");
        Map<String, TlaValue> before = Map.of();
        for (Step step : steps) {
            text.append(step.number()).append(". ").append(step.action()).append('\n');
            for (String change : changes(before, step.state())) {
                text.append("       ").append(change).append('\n');
            }
            before = step.state();
        }
        return text.toString();
    }

    private static List<String> changes(Map<String, TlaValue> before, Map<String, TlaValue> after) {
        List<String> changes = new ArrayList<>();
        for (Map.Entry<String, TlaValue> variable : after.entrySet()) {
            compare(variable.getKey(), before.get(variable.getKey()), variable.getValue(), changes);
        }
        return changes;
    }

    /** Descends as long as both values have the same parts, so that only what differs is told. */
    private static void compare(String path, @Nullable TlaValue before, TlaValue after, List<String> changes) {
        if (after.equals(before)) {
            return;
        }
        if (before == null) {
            changes.add(path + " = " + after);
            return;
        }
        Map<String, TlaValue> old = parts(before);
        Map<String, TlaValue> now = parts(after);
        if (now.isEmpty() || !old.keySet().equals(now.keySet())) {
            changes.add(path + ": " + before + " -> " + after);
            return;
        }
        Set<String> names = new TreeSet<>(now.keySet());
        for (String name : names) {
            TlaValue part = now.get(name);
            if (part != null) {
                compare(path + name, old.get(name), part, changes);
            }
        }
    }

    private static Map<String, TlaValue> parts(TlaValue value) {
        Map<String, TlaValue> parts = new TreeMap<>();
        if (value instanceof TlaValue.Fields record) {
            record.fields().forEach((name, part) -> parts.put("." + name, part));
        } else if (value instanceof TlaValue.Function function) {
            function.values().forEach((argument, part) -> parts.put("[" + argument + "]", part));
        } else if (value instanceof TlaValue.Sequence sequence) {
            for (int i = 0; i < sequence.members().size(); i++) {
                parts.put("[" + (i + 1) + "]", sequence.members().get(i));
            }
        }
        return parts;
    }
}
