package dev.qcow2.spec.tla;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A bound in which the graph of all states is made: a row of the file {@code graphs.txt}.
 *
 * @param name name of the graph, unique
 * @param model the model whose configuration it starts from
 * @param size how large the graph is
 * @param changes constants that have another value than in the configuration
 * @param levels how many steps from the initial state are looked at; 0 for all
 * @param states how many states there must be, up to the names of host clusters
 * @param transitions how many transitions there must be
 */
public record GraphBound(
        String name,
        ModelCase model,
        ModelScope size,
        Map<String, String> changes,
        int levels,
        int states,
        int transitions) {

    private static final Pattern CONSTANT = Pattern.compile("(?m)^\\s+(\\w+) = (.+)$");

    /** Copies the map. */
    public GraphBound {
        changes = Map.copyOf(changes);
    }

    /**
     * Returns the whole configuration.
     *
     * @return text for TLC
     * @throws ModelException if a constant that has another value here is not in the configuration
     * @throws IOException if the configuration is not on the class path
     */
    String configuration() throws ModelException, IOException {
        return ModelRun.withConstants(model.configuration(), ModelFiles.text(model.configuration()), changes);
    }

    /**
     * Returns the constants of the bound.
     *
     * @return their values
     * @throws ModelException if a constant that has another value here is not in the configuration
     * @throws IOException if the configuration is not on the class path
     */
    public Constants constants() throws ModelException, IOException {
        return Constants.of(configuration());
    }

    /**
     * The values that a configuration gives to constants.
     *
     * @param texts values by name, as the configuration writes them
     */
    public record Constants(Map<String, String> texts) {

        static Constants of(String configuration) {
            Map<String, String> texts = new TreeMap<>();
            Matcher matcher = CONSTANT.matcher(configuration);
            while (matcher.find()) {
                texts.put(matcher.group(1), matcher.group(2).strip());
            }
            return new Constants(texts);
        }

        /**
         * Returns a value.
         *
         * @param constant a name
         * @return as the configuration writes it, without quotation marks
         * @throws IllegalArgumentException if there is no such constant
         */
        public String text(String constant) {
            String text = texts.get(constant);
            if (text == null) {
                throw new IllegalArgumentException("the configuration has no constant " + constant);
            }
            return text.replace("\"", "");
        }

        /**
         * Returns a number.
         *
         * @param constant a name
         * @return its value
         */
        public int number(String constant) {
            return Integer.parseInt(text(constant));
        }

        /**
         * Returns the members of a set.
         *
         * @param constant a name
         * @return in the order of the configuration, without quotation marks
         */
        public List<String> members(String constant) {
            String text = text(constant);
            String inner = text.substring(1, text.length() - 1).strip();
            return inner.isEmpty() ? List.of() : List.of(inner.split("\\s*,\\s*"));
        }
    }
}
