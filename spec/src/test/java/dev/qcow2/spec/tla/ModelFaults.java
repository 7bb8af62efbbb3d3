package dev.qcow2.spec.tla;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the seeded faults that a module speaks of. */
final class ModelFaults {

    private static final Pattern COMPARED = Pattern.compile("Fault /?= \"([a-z0-9-]+)\"");
    private static final Pattern SET = Pattern.compile("Fault \\\\in \\{([^}]*)\\}");
    private static final Pattern QUOTED = Pattern.compile("\"([^\"]*)\"");

    private ModelFaults() {}

    static List<String> namesIn(String module) {
        List<String> names = new ArrayList<>();
        Matcher compared = COMPARED.matcher(module);
        while (compared.find()) {
            names.add(compared.group(1));
        }
        Matcher set = SET.matcher(module);
        while (set.find()) {
            Matcher quoted = QUOTED.matcher(set.group(1));
            while (quoted.find()) {
                names.add(quoted.group(1));
            }
        }
        return names.stream().distinct().sorted().toList();
    }
}
