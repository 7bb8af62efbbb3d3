package dev.qcow2.spec.trace;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Judges a trace event by event, on both levels. The first refusal stands: what follows a wrong event can't be judged until
 * the image is described anew.
 */
public final class TraceOracle implements EventSink {

    private final MappingOracle mapping = new MappingOracle();
    private final PowerCutOracle powerCut = new PowerCutOracle();
    private @Nullable TraceRefusal refusal;
    private int events;
    private int refusedAt;

    /** Makes an oracle that waits for the description of an image. */
    public TraceOracle() {}

    @Override
    public void event(TraceEvent event) {
        events++;
        if (refusal == null) {
            refusal = judge(event);
            refusedAt = events;
        }
    }

    private @Nullable TraceRefusal judge(TraceEvent event) {
        TraceRefusal found = mapping.judge(event).orElse(null);
        // Both have to hear of it.
        TraceRefusal other = powerCut.judge(event).orElse(null);
        return found != null ? found : other;
    }

    /**
     * Returns what was refused.
     *
     * @return the first refusal, or empty if all was right so far
     */
    public Optional<TraceRefusal> refusal() {
        return Optional.ofNullable(refusal);
    }

    /**
     * Returns which event was refused.
     *
     * @return its number, counted from 1; of no meaning without a refusal
     */
    public int refusedAt() {
        return refusedAt;
    }

    /**
     * Returns how many events it has heard.
     *
     * @return events
     */
    public int events() {
        return events;
    }
}
