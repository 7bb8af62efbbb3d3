package dev.qcow2.spec.tla;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A module that has an action of its own for every request with its parameters, so that a
 * counterexample says what was asked for. In module PowerCut the state itself says so, for it keeps
 * the requests; there nothing has to be made.
 */
record TracedModule(String module, String text, String configuration) {

    private static final String SPECIFICATION = "SPECIFICATION \\w+";

    /** Makes the module for a configuration, if there is need of one. */
    static Optional<TracedModule> of(String module, String configuration) {
        String traced = configuration.replaceFirst(SPECIFICATION, "SPECIFICATION EdgeSpec");
        return switch (module) {
            case "Mapping" -> Optional.of(new TracedModule(EdgeModule.NAME, EdgeModule.of(configuration), traced));
            case "Twins" -> Optional.of(new TracedModule("TwinsEdges", twins(configuration), traced));
            case "Tables" -> Optional.of(new TracedModule("TablesEdges", tables(configuration), traced));
            default -> Optional.empty();
        };
    }

    /** Both images get the request. */
    private static String twins(String configuration) {
        return EdgeModule.of(configuration)
                .replace("MODULE " + EdgeModule.NAME, "MODULE TwinsEdges")
                .replace("EXTENDS Mapping", "EXTENDS Twins")
                .replace("MInit", "Init")
                .replaceAll("TRUE /\\\\ (M\\w+\\([^)]*\\))", "TRUE /\\\\ Copy!$1 /\\\\ Skip!$1");
    }

    private static String tables(String configuration) {
        ModelConfiguration bound = ModelConfiguration.parse(configuration);
        List<String> definitions = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (int c = 1; c <= number(bound, "ClusterCount"); c++) {
            for (int b = 1; b <= number(bound, "BlockCount"); b++) {
                for (String value : bound.members("Values")) {
                    add("Write", names, definitions, Integer.toString(c), Integer.toString(b), value);
                }
                add("Drop", names, definitions, Integer.toString(c), Integer.toString(b));
            }
        }
        for (String save : bound.members("Saves")) {
            add("Save", names, definitions, save);
            add("Restore", names, definitions, save);
            add("Forget", names, definitions, save);
        }
        return "---- MODULE TablesEdges ----\nEXTENDS Tables\n" + String.join("\n", definitions)
                + "\nEdgeNext ==\n    \\/ " + String.join("\n    \\/ ", names)
                + "\nEdgeSpec == TInit /\\ [][EdgeNext]_vars\n====\n";
    }

    private static int number(ModelConfiguration bound, String constant) {
        return Integer.parseInt(bound.constants().getOrDefault(constant, "0"));
    }

    private static void add(String request, List<String> names, List<String> definitions, String... parameters) {
        String name = request + "_" + String.join("_", parameters).replace("\"", "");
        definitions.add(name + " == TRUE /\\ T" + request + "(" + String.join(", ", parameters) + ")");
        names.add(name);
    }
}
