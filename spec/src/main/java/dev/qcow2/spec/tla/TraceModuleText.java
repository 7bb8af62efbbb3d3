package dev.qcow2.spec.tla;

import java.util.ArrayList;
import java.util.List;

/** Writes the parts that the modules of both levels have in common: long tuples, cut into chunks that TLC can parse. */
final class TraceModuleText {

    private static final int CHUNK = 400;

    private final StringBuilder text = new StringBuilder();

    TraceModuleText() {
        text.append("---- MODULE Trace ----\nEXTENDS Naturals, Sequences, TLC\n");
    }

    TraceModuleText define(String name, Object value) {
        text.append(name).append(" == ").append(value).append('\n');
        return this;
    }

    /** Defines the events of all segments, and how one is found: Ev and Length. */
    TraceModuleText events(List<List<String>> segments) {
        List<String> all = new ArrayList<>();
        List<String> lengths = new ArrayList<>();
        for (int t = 0; t < segments.size(); t++) {
            List<String> events = segments.get(t);
            List<String> chunks = new ArrayList<>();
            for (int from = 0; from < events.size(); from += CHUNK) {
                String name = "T" + (t + 1) + "C" + (chunks.size() + 1);
                define(name, tuple(events.subList(from, Math.min(events.size(), from + CHUNK))));
                chunks.add(name);
            }
            all.add("<<" + String.join(", ", chunks) + ">>");
            lengths.add(String.valueOf(events.size()));
        }
        define("Events", tuple(all));
        define("Lengths", tuple(lengths));
        define("TraceCount", segments.size());
        define("Length(t)", "Lengths[t]");
        return define("Ev(t, i)", "Events[t][((i - 1) \\div " + CHUNK + ") + 1][((i - 1) % " + CHUNK + ") + 1]");
    }

    static String tuple(List<String> members) {
        return "<<\n  " + String.join(",\n  ", members) + ">>";
    }

    static String text(String value) {
        return "\"" + value + "\"";
    }

    @Override
    public String toString() {
        return text + "====\n";
    }
}
