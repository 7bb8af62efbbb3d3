package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Draws module PowerCut: the requests in flight, each field of the file with the values that it may
 * have after a cut, and what the guest may find.
 */
final class PowerCutDrawing implements Drawing {

    private static final Set<String> OF_THE_FILE = Set.of("count", "l2", "bytes", "slot", "dirty");

    private final String prefix;

    /**
     * Makes a drawing.
     *
     * @param prefix what the names of the file's variables begin with, for modules that have two files
     */
    PowerCutDrawing(String prefix) {
        this.prefix = prefix;
    }

    @Override
    public String module() {
        return "PowerCut";
    }

    @Override
    public String legend() {
        return "x or y: the file holds x, and after a power cut perhaps y; 0 zero, #1 what request 1 wrote, "
                + "a1.2 what block 2 of cluster 1 held at first, B1.2 what the backing file holds there, ? stale bytes";
    }

    @Override
    public String operation(Step before, Step after) {
        return FileSteps.tell(before, after);
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        lines.add("in flight   " + requests(state));
        lines.add("L2 entries  " + entries(own(state, "l2")));
        lines.add("counts      " + counts(state));
        lines.add("blocks      " + blocks(state));
        TlaValue slot = own(state, "slot");
        String snapshots = Values.field(slot, PowerCutDrawing::snapshot);
        if (!snapshots.equals("none")) {
            lines.add("snapshot    " + snapshots + "  shall show " + clusters(own(state, "savedSeen")));
        }
        String dirty = Values.field(own(state, "dirty"), value -> Values.truth(value) ? "set" : "clear");
        if (!dirty.equals("clear")) {
            lines.add("dirty bit   " + dirty);
        }
        lines.add("guest reads " + guest(state));
        return lines;
    }

    private TlaValue own(Map<String, TlaValue> state, String variable) {
        boolean shared = prefix.isEmpty() || !OF_THE_FILE.contains(variable);
        String name = shared ? variable : prefix + Character.toUpperCase(variable.charAt(0)) + variable.substring(1);
        return Values.variable(state, name);
    }

    private static String requests(Map<String, TlaValue> state) {
        List<String> texts = new ArrayList<>();
        Values.parts(Values.variable(state, "request")).forEach((slot, request) -> {
            if (!Values.text(request.field("step")).equals("idle")) {
                texts.add(slot + ": " + FileSteps.request(request) + ", next: " + Values.text(request.field("step")));
            }
        });
        return texts.isEmpty() ? "nothing" : String.join("   ", texts);
    }

    private static String entries(TlaValue l2) {
        List<String> texts = new ArrayList<>();
        for (int c = 1; c <= Values.members(l2).size(); c++) {
            texts.add(c + ": " + Values.field(l2.at(c), PowerCutDrawing::entry));
        }
        return String.join("   ", texts);
    }

    private static String entry(TlaValue entry) {
        String host = Values.text(entry.field("host"));
        String copied = Values.truth(entry.field("copied")) ? " COPIED" : "";
        return switch (Values.text(entry.field("kind"))) {
            case "none" -> "unallocated";
            case "zero" -> "zero";
            case "kept" -> "zero, keeps " + host + copied;
            default -> "→ " + host + copied;
        };
    }

    private String counts(Map<String, TlaValue> state) {
        Set<String> free = new TreeSet<>();
        Values.group(Values.variable(state, "free")).forEach(host -> free.add(Values.text(host)));
        boolean remade = Values.group(own(state, "dirty").field("may")).stream().allMatch(Values::truth);
        List<String> texts = new ArrayList<>();
        Values.parts(own(state, "count")).forEach((host, count) -> {
            long least = Values.group(count.field("may")).stream()
                    .mapToLong(Values::number)
                    .min()
                    .orElseThrow();
            long most = mostReferences(state, host);
            texts.add(host + " ×" + Values.field(count, Values::text)
                    + (least < most && !remade ? " BUT AFTER A CUT UP TO " + most + " MAY REFER TO IT" : "")
                    + (free.contains(host) ? " (may be handed out)" : ""));
        });
        return String.join("   ", texts);
    }

    /** The model's operator MostReferences: how many references a cut may leave. */
    private long mostReferences(Map<String, TlaValue> state, String host) {
        long most = 0;
        TlaValue l2 = own(state, "l2");
        for (int c = 1; c <= Values.members(l2).size(); c++) {
            int cluster = c;
            most += names(Values.group(l2.at(c).field("may")), host) ? 1 : 0;
            List<TlaValue> saved = Values.group(own(state, "slot").field("may")).stream()
                    .map(slot -> slot.field("entries").at(cluster))
                    .toList();
            most += names(saved, host) ? 1 : 0;
        }
        return most;
    }

    private static boolean names(List<TlaValue> entries, String host) {
        return entries.stream()
                .anyMatch(entry -> Values.text(entry.field("host")).equals(host));
    }

    private String blocks(Map<String, TlaValue> state) {
        List<String> texts = new ArrayList<>();
        Values.parts(own(state, "bytes"))
                .forEach((host, blocks) -> texts.add(host
                        + Values.members(blocks).stream()
                                .map(block -> Values.field(block, PowerCutDrawing::sign))
                                .collect(Collectors.joining(" | ", " [", "]"))));
        return String.join("   ", texts);
    }

    private static String snapshot(TlaValue slot) {
        if (!Values.truth(slot.field("taken"))) {
            return "none";
        }
        List<String> texts = new ArrayList<>();
        TlaValue entries = slot.field("entries");
        for (int c = 1; c <= Values.members(entries).size(); c++) {
            texts.add(c + ": " + entry(entries.at(c)));
        }
        return "{" + String.join(", ", texts) + "}";
    }

    private static String clusters(TlaValue disk) {
        return Values.members(disk).stream()
                .map(cluster -> Values.members(cluster).stream()
                        .map(PowerCutDrawing::sign)
                        .collect(Collectors.joining(" ", "[", "]")))
                .collect(Collectors.joining(" "));
    }

    /** What each block reads as, what it may read as after a cut, and what the promise allows then. */
    private String guest(Map<String, TlaValue> state) {
        TlaValue l2 = own(state, "l2");
        TlaValue seen = Values.variable(state, "seen");
        TlaValue allowed = Values.variable(state, "allowed");
        List<String> texts = new ArrayList<>();
        for (int c = 1; c <= Values.members(l2).size(); c++) {
            for (int b = 1; b <= Values.members(seen.at(c)).size(); b++) {
                texts.add(block(
                        state, l2.at(c), c, b, seen.at(c).at(b), allowed.at(c).at(b)));
            }
        }
        return String.join("   ", texts);
    }

    private String block(Map<String, TlaValue> state, TlaValue field, int c, int b, TlaValue seen, TlaValue allowed) {
        String now =
                sign(Values.group(read(state, field.field("now"), c, b, "now")).get(0));
        Set<String> may = new TreeSet<>();
        for (TlaValue entry : Values.group(field.field("may"))) {
            Values.group(read(state, entry, c, b, "may")).forEach(value -> may.add(sign(value)));
        }
        Set<String> promise = new TreeSet<>();
        Values.group(allowed).forEach(value -> promise.add(sign(value)));
        Set<String> wrong = new TreeSet<>(may);
        wrong.removeAll(promise);
        StringBuilder text = new StringBuilder(c + "." + b + ": " + now);
        if (!now.equals(sign(seen))) {
            text.append(" BUT WAS PROMISED ").append(sign(seen));
        }
        may.remove(now);
        if (!may.isEmpty()) {
            text.append(" or ").append(String.join(" or ", may));
        }
        if (!wrong.isEmpty()) {
            text.append(" BUT AFTER A CUT ONLY ")
                    .append(String.join(" or ", promise))
                    .append(" IS ALLOWED");
        }
        return text.toString();
    }

    /** The model's operators ReadNow and ReadAfterCut. */
    private TlaValue read(Map<String, TlaValue> state, TlaValue entry, int c, int b, String field) {
        return switch (Values.text(entry.field("kind"))) {
            case "none" -> new TlaValue.Numeral(50 + 10L * c + b);
            case "zero", "kept" -> new TlaValue.Numeral(0);
            default -> {
                TlaValue held = Values.parts(own(state, "bytes")).get(Values.text(entry.field("host")));
                if (held == null) {
                    throw new IllegalArgumentException("an entry names " + entry.field("host"));
                }
                yield held.at(b).field(field);
            }
        };
    }

    /** A sign for a value: the numbers that the module speaks of. */
    private static String sign(TlaValue value) {
        long number = Values.number(value);
        if (number == 99) {
            return "?";
        }
        if (number > 50) {
            return "B" + (number - 50) / 10 + "." + number % 10;
        }
        if (number >= 10) {
            return "a" + number / 10 + "." + number % 10;
        }
        return number == 0 ? "0" : "#" + number;
    }
}
