package dev.qcow2.spec.tla;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a configuration says: the bound of a model and the properties that are checked in it.
 *
 * @param comment what it is, in a sentence
 * @param constants value by name, as the file writes them
 * @param properties the names of what must hold, in the order in which TLC looks at them
 */
public record ModelConfiguration(String comment, Map<String, String> constants, List<String> properties) {

    private static final Pattern CONSTANT = Pattern.compile("^\\s+(\\w+) = (.+)$");
    private static final Pattern NAME = Pattern.compile("^\\s+(\\w+)$");

    /** Makes a configuration; map and list are copied, the map in its order. */
    public ModelConfiguration {
        constants = new LinkedHashMap<>(constants);
        properties = List.copyOf(properties);
    }

    /**
     * Reads the configuration of a model.
     *
     * @param model which
     * @return what it says
     * @throws IOException if the file cannot be read
     */
    public static ModelConfiguration of(ModelCase model) throws IOException {
        return parse(ModelFiles.text(model.configuration()));
    }

    static ModelConfiguration parse(String text) {
        StringBuilder comment = new StringBuilder();
        Map<String, String> constants = new LinkedHashMap<>();
        List<String> properties = new ArrayList<>();
        for (String line : text.lines().toList()) {
            Matcher constant = CONSTANT.matcher(line);
            Matcher name = NAME.matcher(line);
            if (line.startsWith("\\*")) {
                comment.append(comment.isEmpty() ? "" : " ")
                        .append(line.substring(2).strip());
            } else if (constant.matches()) {
                constants.put(constant.group(1), constant.group(2).strip());
            } else if (name.matches()) {
                properties.add(name.group(1));
            }
        }
        return new ModelConfiguration(comment.toString(), constants, properties);
    }

    /**
     * Returns the members of a constant that is a set.
     *
     * @param constant its name
     * @return the members as the file writes them; empty if there is no such constant
     */
    public List<String> members(String constant) {
        String text = constants.getOrDefault(constant, "{}");
        String inner = text.replaceAll("^\\{|\\}$", "").strip();
        return inner.isEmpty() ? List.of() : List.of(inner.split("\\s*,\\s*"));
    }
}
