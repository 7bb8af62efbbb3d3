package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Draws module Growth: the header, and each host cluster that is something or may be so after a cut. */
final class GrowthDrawing implements Drawing {

    private static final String OTHER = "other";

    @Override
    public String module() {
        return "Growth";
    }

    @Override
    public String legend() {
        return "x or y: the file holds x, and after a power cut perhaps y; a refcount block shows the counts of its range, "
                + "? stale bytes";
    }

    @Override
    public String operation(Step before, Step after) {
        TlaValue old = Values.variable(before.state(), "job");
        TlaValue now = Values.variable(after.state(), "job");
        String step = Values.text(old.field("step"));
        if (!step.equals("idle")) {
            return step + " – " + meaning(step, old);
        }
        return after.action().equals("GuestFlush") ? "the guest flushes" : "begins: " + request(now);
    }

    private static String request(TlaValue job) {
        String kind = Values.text(job.field("kind"));
        return switch (kind) {
            case "grow" -> "make the refcount table longer";
            case "block" -> "add a refcount block";
            case "width" -> "change the width of counts";
            case "list" -> "replace the list by a longer one";
            case "data" -> "allocate a cluster";
            case "drop" -> "drop cluster " + job.field("host");
            case "zero" -> "set a zero flag";
            case "version" -> "change the version";
            default -> kind;
        };
    }

    private static String meaning(String step, TlaValue job) {
        return switch (step) {
            case "build" -> "what is new is written and counted: " + request(job);
            case "flush" -> "the host flushes";
            case "switch" -> "the header says so, in one write";
            case "link" -> "an entry says so: " + request(job);
            case "unlink" -> "the list names the cluster no more";
            case "settle" -> "the host flushes, so that nothing old is named";
            case "free" -> "the old clusters are uncounted and given back, and somebody writes there";
            default -> step;
        };
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        lines.add("header      " + Values.field(Values.variable(state, "root"), GrowthDrawing::root));
        TlaValue pages = Values.variable(state, "pages");
        TlaValue counts = Values.variable(state, "counts");
        for (int h = 1; h <= Values.members(pages).size(); h++) {
            String text = Values.field(pages.at(h), GrowthDrawing::page);
            if (!text.equals(OTHER)) {
                lines.add("cluster " + h + "   " + text + (text.contains("block") ? "  " + counts(counts.at(h)) : ""));
            }
        }
        Set<String> free = new TreeSet<>();
        Values.group(Values.variable(state, "unused")).forEach(host -> free.add(Values.text(host)));
        lines.add("may be handed out " + String.join(" ", free));
        return lines;
    }

    private static String root(TlaValue root) {
        return "{version " + root.field("version") + ", refcount table " + root.field("table") + ", width "
                + root.field("width") + ", list " + root.field("list") + "}";
    }

    private static String counts(TlaValue block) {
        return Values.members(block).stream()
                .map(count -> Values.field(count, GrowthDrawing::count))
                .collect(Collectors.joining(" | ", "[", "]"));
    }

    private static String count(TlaValue count) {
        return Values.number(count) > 9 ? "?" : count.toString();
    }

    private static String page(TlaValue page) {
        String kind = Values.text(page.field("kind"));
        return switch (kind) {
            case "table" ->
                "refcount table { "
                        + Values.parts(page.field("at")).entrySet().stream()
                                .map(entry -> entry.getKey() + ": " + entry.getValue())
                                .collect(Collectors.joining("   "))
                        + " }";
            case "block" -> "refcount block of width " + page.field("width");
            case "list" ->
                "list " + page.field("names") + (Values.truth(page.field("zeros")) ? " with a zero flag" : "");
            default -> OTHER;
        };
    }
}
