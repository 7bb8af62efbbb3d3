package dev.qcow2.spec.tla;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A module that has an action of its own for every request and every value of its parameters, since
 * TLC labels a transition with the name of an action and forgets what it was called with.
 *
 * <p>The name of such an action is made of the request and its parameters: {@code Write_1_1_2_a}.
 */
final class EdgeModule {

    /** Name of the module. */
    static final String NAME = "MappingEdges";

    private static final Pattern CONSTANT = Pattern.compile("(?m)^\\s+(\\w+) = (.+)$");
    private static final Pattern LISTS = Pattern.compile("(?ms)^(SYMMETRY|INVARIANTS|PROPERTIES).*");

    private final Map<String, String> constants = new java.util.HashMap<>();
    private final StringBuilder definitions = new StringBuilder();
    private final List<String> names = new ArrayList<>();

    private EdgeModule(String configuration) {
        Matcher matcher = CONSTANT.matcher(configuration);
        while (matcher.find()) {
            constants.put(matcher.group(1), matcher.group(2).strip());
        }
    }

    /** Makes the module for module Mapping in the bound of a configuration. */
    static String of(String configuration) {
        EdgeModule module = new EdgeModule(configuration);
        module.requests();
        return "---- MODULE " + NAME + " ----\nEXTENDS Mapping\n" + module.definitions + "EdgeNext ==\n    \\/ "
                + String.join("\n    \\/ ", module.names) + "\nEdgeSpec == MInit /\\ [][EdgeNext]_vars\n====\n";
    }

    /**
     * Makes the configuration for it: every state for itself, and one free host cluster to choose
     * from, so that a request has one result.
     */
    static String configuration(String configuration) {
        return LISTS.matcher(configuration)
                .replaceFirst("")
                .replace("SPECIFICATION MSpec", "CHECK_DEADLOCK FALSE\nSPECIFICATION EdgeSpec")
                .replace("CONSTANTS\n", "CONSTANTS\n    FreeHosts <- OneFreeHost\n");
    }

    private void requests() {
        int blocks = number("BlockCount");
        for (int cluster = 1; cluster <= number("ClusterCount"); cluster++) {
            writes(cluster, blocks);
            add("Zero", cluster, "TRUE");
            add("Zero", cluster, "FALSE");
            add("Discard", cluster);
            for (int part = 1; number("SubclusterCount") > 1 && part <= number("SubclusterCount"); part++) {
                add("ZeroSubcluster", cluster, part);
            }
            for (String value : members("Values")) {
                if (number("PackCount") > 0) {
                    add("WriteCompressed", cluster, value);
                }
            }
        }
        for (String save : members("Saves")) {
            add("Save", save);
            add("Restore", save);
            add("Forget", save);
        }
        for (String size : members("Sizes")) {
            add("Resize", size);
        }
    }

    private void writes(int cluster, int blocks) {
        List<String> values = new ArrayList<>(members("Values"));
        values.add("\"zero\"");
        for (int first = 1; first <= blocks; first++) {
            for (int last = first; last <= blocks; last++) {
                for (String value : values) {
                    add("Write", cluster, first, last, value);
                }
            }
        }
    }

    private void add(String request, Object... parameters) {
        List<String> texts =
                java.util.Arrays.stream(parameters).map(Object::toString).toList();
        String name = request + "_" + String.join("_", texts).replace("\"", "");
        // Without the first conjunct TLC would label the transition with the name of the inner action.
        definitions
                .append(name)
                .append(" == TRUE /\\ M")
                .append(request)
                .append('(')
                .append(String.join(", ", texts))
                .append(")\n");
        names.add(name);
    }

    private int number(String constant) {
        return Integer.parseInt(text(constant));
    }

    private List<String> members(String constant) {
        String text = text(constant);
        String inner = text.substring(1, text.length() - 1).strip();
        return inner.isEmpty() ? List.of() : List.of(inner.split("\\s*,\\s*"));
    }

    private String text(String constant) {
        String text = constants.get(constant);
        if (text == null) {
            throw new IllegalArgumentException("the configuration has no constant " + constant);
        }
        return text;
    }
}
