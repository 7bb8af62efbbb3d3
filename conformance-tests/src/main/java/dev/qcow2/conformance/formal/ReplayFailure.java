package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptText;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An implementation did what the model does not permit.
 *
 * @param graph name of the graph
 * @param subject name of the implementation
 * @param path the requests from the empty image on; the last one went wrong
 * @param before the state before the last request
 * @param expected the states that the model permits after it
 * @param found the state that was found, or empty if the image could not be looked at
 * @param reason what is wrong, in a sentence
 * @param script the requests as a script for {@code qcow2 conform --replay}
 */
public record ReplayFailure(
        String graph,
        String subject,
        List<ModelRequest> path,
        String before,
        List<String> expected,
        String found,
        String reason,
        Script script) {

    private static final String INDENT = "    ";

    /** Copies the lists. */
    public ReplayFailure {
        path = List.copyOf(path);
        expected = List.copyOf(expected);
    }

    /**
     * Tells it to a person.
     *
     * @return several lines
     */
    public String toText() {
        StringBuilder text = new StringBuilder();
        text.append(subject).append(" leaves the model ").append(graph).append(": ");
        text.append(reason).append("\nrequests:\n");
        path.forEach(request -> text.append(INDENT).append(request).append('\n'));
        text.append("before the last one:\n")
                .append(Observation.drawing(before, INDENT))
                .append('\n');
        text.append(expected.size() == 1 ? "expected:\n" : "expected one of:\n");
        text.append(expected.stream()
                .limit(4)
                .map(key -> Observation.drawing(key, INDENT))
                .collect(Collectors.joining("\n" + INDENT + "or\n")));
        text.append("\nfound:\n").append(found.isEmpty() ? INDENT + "nothing" : Observation.drawing(found, INDENT));
        return text.append("\nas a script:\n").append(ScriptText.write(script)).toString();
    }
}
