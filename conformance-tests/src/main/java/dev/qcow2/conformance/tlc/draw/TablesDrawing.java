package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Draws module Tables: L1 table, L2 tables, data clusters, and their counts. */
final class TablesDrawing implements Drawing {

    @Override
    public String module() {
        return "Tables";
    }

    @Override
    public String legend() {
        return "[one sign for each guest cluster]: 0 zero, ? stale bytes that belong to nobody; hN ×2: host cluster N "
                + "with its count; a table that says ? holds the old bytes of its cluster";
    }

    @Override
    public String operation(Step before, Step after) {
        return Requests.tell(before, after);
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        TlaValue l1 = Values.variable(state, "l1");
        lines.add("guest reads "
                + MappingDrawing.promised(view(state, l1), DiskDrawing.clusters(Values.variable(state, "disk"))));
        lines.add("L1 table    " + pointers(l1));
        Set<String> tables = new TreeSet<>(tablesOf(l1));
        TlaValue saved = Values.variable(state, "saved");
        Values.parts(Values.variable(state, "l1Copies")).forEach((name, copy) -> {
            if (Values.truth(copy.field("taken"))) {
                TlaValue top = copy.field("l1");
                tables.addAll(tablesOf(top));
                String was = DiskDrawing.clusters(saved.field(name).field("disk"));
                lines.add("snapshot " + name + " " + pointers(top) + "  shows "
                        + MappingDrawing.promised(view(state, top), was));
            }
        });
        Map<String, TlaValue> entries = Values.parts(Values.variable(state, "tables"));
        tables.forEach(
                table -> lines.add("L2 table    " + counted(state, table) + " { " + pointers(entries, table) + " }"));
        lines.add("host        " + others(state, tables));
        return lines;
    }

    private static String others(Map<String, TlaValue> state, Set<String> tables) {
        List<String> texts = new ArrayList<>();
        Values.parts(Values.variable(state, "bytes")).forEach((host, held) -> {
            if (!tables.contains(host)) {
                String text = counted(state, host);
                texts.add(text.endsWith("free") ? text : text + " [" + DiskDrawing.sign(Values.text(held)) + "]");
            }
        });
        return String.join("   ", texts);
    }

    private static String counted(Map<String, TlaValue> state, String host) {
        long count = Values.number(need(Values.parts(Values.variable(state, "count")), host));
        long paths = paths(state, Values.variable(state, "l1"), host);
        for (TlaValue copy : Values.parts(Values.variable(state, "l1Copies")).values()) {
            paths += paths(state, copy.field("l1"), host);
        }
        if (count == 0 && paths == 0) {
            return host + " free";
        }
        return host + " ×" + count + (count == paths ? "" : " BUT " + paths + (paths == 1 ? " PATH" : " PATHS"));
    }

    private static long paths(Map<String, TlaValue> state, TlaValue top, String host) {
        Map<String, TlaValue> tables = Values.parts(Values.variable(state, "tables"));
        long paths = 0;
        for (String table : listedTables(top)) {
            paths += table.equals(host) ? 1 : 0;
            paths += Values.members(need(tables, table)).stream()
                    .filter(entry -> Values.text(entry.field("host")).equals(host))
                    .count();
        }
        return paths;
    }

    private static List<String> listedTables(TlaValue top) {
        return Values.members(top).stream()
                .map(pointer -> Values.text(pointer.field("host")))
                .filter(host -> !host.equals(Values.NO_HOST))
                .toList();
    }

    private static Set<String> tablesOf(TlaValue top) {
        return new TreeSet<>(listedTables(top));
    }

    private static TlaValue need(Map<String, TlaValue> parts, String name) {
        TlaValue part = parts.get(name);
        if (part == null) {
            throw new IllegalArgumentException("there is no host cluster " + name);
        }
        return part;
    }

    private static String pointers(Map<String, TlaValue> tables, String table) {
        return pointers(need(tables, table));
    }

    private static String pointers(TlaValue table) {
        List<String> texts = new ArrayList<>();
        int index = 0;
        for (TlaValue pointer : Values.members(table)) {
            index++;
            String host = Values.text(pointer.field("host"));
            boolean copied = Values.truth(pointer.field("copied"));
            boolean nowhere = host.equals(Values.NO_HOST);
            texts.add(index + ": " + (nowhere ? copied ? "?" : "none" : "→ " + host + (copied ? " COPIED" : "")));
        }
        return String.join("   ", texts);
    }

    private static String view(Map<String, TlaValue> state, TlaValue top) {
        Map<String, TlaValue> tables = Values.parts(Values.variable(state, "tables"));
        Map<String, TlaValue> bytes = Values.parts(Values.variable(state, "bytes"));
        int blocks = Values.members(Values.variable(state, "disk").at(1)).size();
        List<String> ranges = new ArrayList<>();
        for (TlaValue pointer : Values.members(top)) {
            String table = Values.text(pointer.field("host"));
            List<String> signs = new ArrayList<>();
            for (int b = 1; b <= blocks; b++) {
                signs.add(
                        table.equals(Values.NO_HOST)
                                ? "0"
                                : read(need(tables, table).at(b), bytes));
            }
            ranges.add("[" + String.join(" ", signs) + "]");
        }
        return String.join(" ", ranges);
    }

    private static String read(TlaValue entry, Map<String, TlaValue> bytes) {
        String host = Values.text(entry.field("host"));
        if (host.equals(Values.NO_HOST)) {
            return Values.truth(entry.field("copied")) ? "?" : "0";
        }
        return DiskDrawing.sign(Values.text(need(bytes, host)));
    }
}
