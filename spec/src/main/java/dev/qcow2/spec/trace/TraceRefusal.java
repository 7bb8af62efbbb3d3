package dev.qcow2.spec.trace;

import java.util.List;

/**
 * An event that the model does not allow.
 *
 * @param event what was done
 * @param reason why it must not be
 * @param state what the model knew before it, as far as it matters here
 * @param allowed what the model would have allowed instead; may be empty
 */
public record TraceRefusal(TraceEvent event, String reason, List<String> state, List<String> allowed) {

    /** Makes a refusal; the lists are copied. */
    public TraceRefusal {
        state = List.copyOf(state);
        allowed = List.copyOf(allowed);
    }

    /** One sentence, and behind it what would have been allowed. */
    @Override
    public String toString() {
        return "\"" + TraceText.line(event) + "\": " + reason
                + (state.isEmpty() ? "" : "; known before: " + String.join(", ", state))
                + (allowed.isEmpty() ? "" : "; allowed: " + String.join(", or ", allowed));
    }
}
