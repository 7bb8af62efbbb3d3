package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.formal.Observation.Entry;
import dev.qcow2.conformance.formal.Observation.Saved;
import dev.qcow2.spec.tla.StateGraph;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Sees a state of the model: the image in it, not the promise beside it. Of the bytes of host clusters only what some disk
 * shows is seen.
 */
final class ModelObserver {

    private static final String STALE = "stale";

    private final ModelImage image;
    private final StateGraph graph;

    ModelObserver(ModelImage image, StateGraph graph) {
        this.image = image;
        this.graph = graph;
    }

    Observation observe(int state) {
        Map<String, Saved> saved = new TreeMap<>();
        for (String name : image.saves()) {
            TlaValue held = graph.value(state, "images").field(unquoted(name));
            if (held.field("taken").equals(new TlaValue.Truth(true))) {
                int size = number(held.field("size"));
                saved.put(
                        unquoted(name),
                        new Saved(size, guest(state, size, held.field("l2")), entries(held.field("l2"))));
            }
        }
        Map<Object, Integer> counts = new HashMap<>();
        ((TlaValue.Function) graph.value(state, "count")).values().forEach((host, count) -> {
            if (number(count) != 0) {
                counts.put(host, number(count));
            }
        });
        int size = number(graph.value(state, "size"));
        return new Observation(
                size, guest(state, size, graph.value(state, "l2")), entries(graph.value(state, "l2")), saved, counts);
    }

    private static String unquoted(String name) {
        return name.replace("\"", "");
    }

    private static int number(TlaValue value) {
        return Math.toIntExact(((TlaValue.Numeral) value).value());
    }

    private List<String> guest(int state, int size, TlaValue table) {
        List<String> clusters = new ArrayList<>();
        for (int cluster = 0; cluster < image.clusters(); cluster++) {
            StringBuilder blocks = new StringBuilder();
            for (int block = 0; block < image.blocks(); block++) {
                blocks.append(cluster < size ? shown(state, table.at(cluster + 1), cluster, block) : ModelImage.ZERO);
            }
            clusters.add(blocks.toString());
        }
        return clusters;
    }

    private String shown(int state, TlaValue entry, int cluster, int block) {
        int pack = number(entry.field("pack"));
        if (pack > 0) {
            String head = text(held(state, "packed", entry.field("host")).at(pack));
            boolean whole = host(entry.field("tail")) == Observation.NOWHERE
                    || text(held(state, "packed", entry.field("tail")).at(pack)).equals(head);
            return name(whole ? head : STALE);
        }
        boolean hosted = host(entry.field("host")) != Observation.NOWHERE;
        return switch (text(entry.field("state").at(image.subclusterOf(block) + 1))) {
            case "zero" -> ModelImage.ZERO;
            case "none" -> image.showsBacking(cluster, block) ? ModelImage.BACKING : ModelImage.ZERO;
            default ->
                hosted ? name(text(held(state, "bytes", entry.field("host")).at(block + 1))) : name(STALE);
        };
    }

    private TlaValue held(int state, String variable, TlaValue host) {
        return Objects.requireNonNull(
                ((TlaValue.Function) graph.value(state, variable)).values().get(host));
    }

    private static String text(TlaValue value) {
        return ((TlaValue.Text) value).value();
    }

    private static String name(String value) {
        return switch (value) {
            case "zero" -> ModelImage.ZERO;
            case "backing" -> ModelImage.BACKING;
            case STALE -> "?";
            default -> value;
        };
    }

    private List<Entry> entries(TlaValue table) {
        List<Entry> entries = new ArrayList<>();
        for (int cluster = 1; cluster <= image.clusters(); cluster++) {
            entries.add(entry(table.at(cluster)));
        }
        return entries;
    }

    private Entry entry(TlaValue entry) {
        boolean compressed = number(entry.field("pack")) > 0;
        StringBuilder states = new StringBuilder(compressed ? "compressed" : "");
        for (int part = 1; !compressed && part <= image.subclusters(); part++) {
            states.append(part == 1 ? "" : ",")
                    .append(((TlaValue.Text) entry.field("state").at(part)).value());
        }
        return new Entry(
                states.toString(),
                host(entry.field("host")),
                host(entry.field("tail")),
                compressed ? entry.field("pack") : Observation.NOWHERE,
                entry.field("copied").equals(new TlaValue.Truth(true)));
    }

    private static Object host(TlaValue host) {
        return host.equals(new TlaValue.Atom("NoHost")) ? Observation.NOWHERE : host;
    }
}
