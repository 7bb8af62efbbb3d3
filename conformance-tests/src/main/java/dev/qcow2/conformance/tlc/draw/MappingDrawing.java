package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Draws module Mapping: entries, host clusters with counts and bytes, snapshots, and what the guest reads. */
final class MappingDrawing implements Drawing {

    private final Map<String, TlaValue> first;
    private final String prefix;

    /**
     * Makes a drawing.
     *
     * @param first the first state, in which the disk shows what lies behind the image
     * @param prefix what the names of the image's variables begin with, for modules that have two images
     */
    MappingDrawing(Map<String, TlaValue> first, String prefix) {
        this.first = first;
        this.prefix = prefix;
    }

    @Override
    public String module() {
        return "Mapping";
    }

    @Override
    public String legend() {
        return "[one sign for each block]: 0 zero, B what the backing file holds, ? stale bytes that belong to nobody; "
                + "hN ×2: host cluster N with its count";
    }

    @Override
    public String operation(Step before, Step after) {
        return Requests.tell(before, after);
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        long size = Values.number(Values.variable(state, "size"));
        TlaValue l2 = own(state, "l2");
        lines.add("guest reads " + promised(view(state, l2, size), DiskDrawing.clusters(Values.variable(state, "disk")))
                + "  size " + size);
        lines.add("L2 entries  " + entries(l2));
        lines.add("host        " + hosts(state));
        TlaValue saved = Values.variable(state, "saved");
        Values.parts(own(state, "images")).forEach((name, image) -> {
            if (Values.truth(image.field("taken"))) {
                String shows = view(state, image.field("l2"), Values.number(image.field("size")));
                String was = DiskDrawing.clusters(saved.field(name).field("disk"));
                lines.add("snapshot " + name + " " + entries(image.field("l2")) + "  shows " + promised(shows, was));
            }
        });
        return lines;
    }

    private TlaValue own(Map<String, TlaValue> state, String variable) {
        String name = prefix.isEmpty()
                ? variable
                : prefix + Character.toUpperCase(variable.charAt(0)) + variable.substring(1);
        return Values.variable(state, name);
    }

    static String promised(String found, String promised) {
        return found.equals(promised) ? found : found + "  BUT WAS PROMISED " + promised;
    }

    private static String entries(TlaValue l2) {
        List<String> texts = new ArrayList<>();
        for (int c = 1; c <= Values.members(l2).size(); c++) {
            texts.add(c + ": " + entry(l2.at(c)));
        }
        return String.join("   ", texts);
    }

    private static String entry(TlaValue entry) {
        String host = Values.text(entry.field("host"));
        String tail = Values.text(entry.field("tail"));
        String copied = Values.truth(entry.field("copied")) ? " COPIED" : "";
        long pack = Values.number(entry.field("pack"));
        if (pack > 0) {
            return "compressed, place " + pack + " of " + host
                    + (tail.equals(Values.NO_HOST) ? "" : " and on into " + tail) + copied;
        }
        List<String> states =
                Values.members(entry.field("state")).stream().map(Values::text).toList();
        boolean hosted = !host.equals(Values.NO_HOST);
        if (states.size() > 1) {
            return (hosted ? "→ " + host : "no host cluster") + " (" + String.join("|", states) + ")" + copied;
        }
        return switch (states.get(0)) {
            case "zero" -> (hosted ? "zero, keeps " + host : "zero") + copied;
            case "data" -> "→ " + host + copied;
            default -> (hosted ? "unallocated, yet names " + host : "unallocated") + copied;
        };
    }

    private String hosts(Map<String, TlaValue> state) {
        TlaValue bytes = own(state, "bytes");
        Map<String, TlaValue> packed = Values.parts(own(state, "packed"));
        Map<String, TlaValue> held = Values.parts(bytes);
        List<String> texts = new ArrayList<>();
        Values.parts(own(state, "count")).forEach((host, count) -> {
            long counted = Values.number(count);
            long references = references(state, host);
            String text = counted == 0 && references == 0 ? host + " free" : host + " ×" + counted;
            if (counted != references) {
                text += " BUT " + references + (references == 1 ? " REFERENCE" : " REFERENCES");
            }
            if (counted > 0 || references > 0) {
                TlaValue packs = packed.get(host);
                boolean compressed = packs != null
                        && Values.members(packs).stream()
                                .anyMatch(pack -> !Values.text(pack).equals("stale"));
                text += " " + DiskDrawing.blocks(compressed && packs != null ? packs : part(held, host));
            }
            texts.add(text);
        });
        return String.join("   ", texts);
    }

    private static TlaValue part(Map<String, TlaValue> parts, String name) {
        return Optional.ofNullable(parts.get(name))
                .orElseThrow(() -> new IllegalArgumentException("there is no host cluster " + name));
    }

    private long references(Map<String, TlaValue> state, String host) {
        long all = references(own(state, "l2"), host);
        for (TlaValue image : Values.parts(own(state, "images")).values()) {
            all += references(image.field("l2"), host);
        }
        return all;
    }

    private static long references(TlaValue l2, String host) {
        return Values.members(l2).stream()
                .filter(entry -> Values.text(entry.field("host")).equals(host)
                        || Values.text(entry.field("tail")).equals(host))
                .count();
    }

    /** What reads find: the model's operators View and ReadEntry. */
    private String view(Map<String, TlaValue> state, TlaValue l2, long size) {
        TlaValue behind = Values.variable(first, "disk");
        List<String> clusters = new ArrayList<>();
        for (int c = 1; c <= Values.members(l2).size(); c++) {
            List<String> blocks = new ArrayList<>();
            for (int b = 1; b <= Values.members(behind.at(c)).size(); b++) {
                String value = c > size
                        ? "zero"
                        : read(state, l2.at(c), b, Values.text(behind.at(c).at(b)), behind.at(c));
                blocks.add(DiskDrawing.sign(value));
            }
            clusters.add(blocks.stream().collect(Collectors.joining(" ", "[", "]")));
        }
        return String.join(" ", clusters);
    }

    private String read(Map<String, TlaValue> state, TlaValue entry, int block, String behind, TlaValue cluster) {
        String host = Values.text(entry.field("host"));
        int pack = Math.toIntExact(Values.number(entry.field("pack")));
        if (pack > 0) {
            Map<String, TlaValue> packed = Values.parts(own(state, "packed"));
            String tail = Values.text(entry.field("tail"));
            TlaValue found = part(packed, host).at(pack);
            boolean torn =
                    !tail.equals(Values.NO_HOST) && !part(packed, tail).at(pack).equals(found);
            return torn ? "stale" : Values.text(found);
        }
        int subclusters = Values.members(entry.field("state")).size();
        int subcluster = (block - 1) * subclusters / Values.members(cluster).size() + 1;
        return switch (Values.text(entry.field("state").at(subcluster))) {
            case "zero" -> "zero";
            case "data" ->
                host.equals(Values.NO_HOST)
                        ? "stale"
                        : Values.text(
                                part(Values.parts(own(state, "bytes")), host).at(block));
            default -> behind;
        };
    }
}
