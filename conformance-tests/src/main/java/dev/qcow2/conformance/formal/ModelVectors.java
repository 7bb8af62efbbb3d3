package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.formal.Tours.Leg;
import dev.qcow2.conformance.language.ScriptText;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the tours of a graph down as scripts, which {@code qcow2 conform --replay} runs on any implementation. Comments say
 * which transition each step is, and what the image must hold afterwards.
 */
public final class ModelVectors {

    /** A script has about so many steps, so that it can be read. */
    public static final int LONGEST = 250;

    /** Where the scripts of the small graphs are kept, seen from the module's folder. */
    public static final Path FOLDER = Path.of("src", "main", "vectors", "model");

    private static final String OPERATIONS = "operations\n";

    private ModelVectors() {}

    /**
     * Writes all scripts of a graph.
     *
     * @param graph which
     * @return texts by file name
     */
    public static Map<String, String> of(ReplayGraph graph) {
        List<List<Leg>> tours = Tours.of(graph, LONGEST);
        Map<String, String> files = new LinkedHashMap<>();
        for (int i = 0; i < tours.size(); i++) {
            String name = String.format("%s-%03d.txt", graph.bound().name(), i + 1);
            files.put(name, text(graph, tours.get(i), i + 1, tours.size()));
        }
        return files;
    }

    private static String text(ReplayGraph graph, List<Leg> tour, int number, int count) {
        String script = ScriptText.write(graph.image().script());
        StringBuilder text = new StringBuilder(script.substring(0, script.length() - OPERATIONS.length()));
        int end = text.indexOf("\n") + 1;
        text.insert(
                end,
                "# graph " + graph.bound().name() + " of model "
                        + graph.bound().model().name() + ", tour " + number + " of " + count + "\n");
        text.append(OPERATIONS);
        text.append("# ").append(graph.key(0)).append('\n');
        for (Leg leg : tour) {
            text.append(leg.move().request().operation(graph.image()).text()).append('\n');
            List<Integer> targets = leg.move().targets();
            text.append("# ").append(leg.to() == leg.from() ? "the same" : graph.key(leg.to()));
            text.append(targets.size() > 1 ? ", or " + (targets.size() - 1) + " other ways" : "")
                    .append('\n');
        }
        return text.toString();
    }
}
