package dev.qcow2.spec.tla;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

    private static final Pattern LISTS = Pattern.compile("(?ms)^(INVARIANTS|PROPERTIES).*");

    private final GraphBound.Constants constants;
    private final StringBuilder definitions = new StringBuilder();
    private final List<String> names = new ArrayList<>();

    private EdgeModule(GraphBound.Constants constants) {
        this.constants = constants;
    }

    /** Makes the module for module Mapping in the bound of a configuration. */
    static String of(String configuration) {
        return of(configuration, 0);
    }

    /**
     * As {@link #of(String)}, for the states near the initial one.
     *
     * @param levels how many steps from the initial state are taken; 0 for all
     */
    static String of(String configuration, int levels) {
        EdgeModule module = new EdgeModule(GraphBound.Constants.of(configuration));
        module.requests();
        String near = levels == 0 ? "TRUE" : "TLCGet(\"level\") <= " + levels;
        return "---- MODULE " + NAME + " ----\nEXTENDS Mapping\n" + module.definitions + "EdgeNext ==\n    \\/ "
                + String.join("\n    \\/ ", module.names) + "\nEdgeSpec == MInit /\\ [][EdgeNext]_vars\nNear == " + near
                + "\n====\n";
    }

    /**
     * Makes the configuration for it: one free host cluster to choose from, so that a request has one
     * result.
     *
     * @param symmetric true if states that differ in the names of host clusters only are one; each is then
     *     shown under some of its names
     */
    static String configuration(String configuration, boolean symmetric) {
        return LISTS.matcher(configuration)
                .replaceFirst("")
                .replace("SYMMETRY Symmetry\n", symmetric ? "SYMMETRY Symmetry\n" : "")
                .replace("CHECK_DEADLOCK FALSE\n", "")
                .replace("SPECIFICATION MSpec", "CHECK_DEADLOCK FALSE\nACTION_CONSTRAINT Near\nSPECIFICATION EdgeSpec")
                .replace("CONSTANTS\n", "CONSTANTS\n    FreeHosts <- OneFreeHost\n");
    }

    private void requests() {
        int blocks = constants.number("BlockCount");
        for (int cluster = 1; cluster <= constants.number("ClusterCount"); cluster++) {
            writes(cluster, blocks);
            add("Zero", cluster, "TRUE");
            add("Zero", cluster, "FALSE");
            add("Discard", cluster);
            int parts = constants.number("SubclusterCount");
            for (int part = 1; parts > 1 && part <= parts; part++) {
                add("ZeroSubcluster", cluster, part);
            }
            for (String value : constants.members("Values")) {
                if (constants.number("PackCount") > 0) {
                    add("WriteCompressed", cluster, quoted(value));
                }
            }
        }
        for (String save : constants.members("Saves")) {
            add("Save", quoted(save));
            add("Restore", quoted(save));
            add("Forget", quoted(save));
        }
        for (String size : constants.members("Sizes")) {
            add("Resize", size);
        }
    }

    private void writes(int cluster, int blocks) {
        List<String> values = new ArrayList<>(constants.members("Values"));
        values.add("zero");
        for (int first = 1; first <= blocks; first++) {
            for (int last = first; last <= blocks; last++) {
                for (String value : values) {
                    add("Write", cluster, first, last, quoted(value));
                }
            }
        }
    }

    private void add(String request, Object... parameters) {
        List<String> texts = Arrays.stream(parameters).map(Object::toString).toList();
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

    private static String quoted(String text) {
        return "\"" + text + "\"";
    }
}
