package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.generate.ScriptGenerator;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks for errors of one implementation by its traces alone: no guest byte is compared, no auditor asked, nobody else reads
 * the image. So it is seen what the check of traces finds by itself.
 */
public final class TraceSearch {

    /**
     * What was found.
     *
     * @param sequences how many sequences it took
     * @param message which event is no step of the model
     */
    public record Found(long sequences, String message) {}

    private TraceSearch() {}

    /**
     * Runs sequences until an event is refused.
     *
     * @param driver the implementation
     * @param seed from which the sequences are drawn
     * @param sequences how many at most
     * @return what was found, or empty
     * @throws IOException if files can't be made
     */
    public static Optional<Found> find(DiskDriver driver, long seed, long sequences) throws IOException {
        try (Surroundings surroundings = Surroundings.prepare(List.of(driver), Optional.empty(), Optional.empty())) {
            ScriptGenerator generator = new ScriptGenerator(seed, surroundings.offers());
            Panel panel = surroundings.panel(surroundings.coverage());
            for (long index = 0; index < sequences; index++) {
                Optional<String> refused = play(generator.script(index, false), driver, panel);
                if (refused.isPresent()) {
                    return Optional.of(new Found(index + 1, refused.get()));
                }
            }
            return Optional.empty();
        }
    }

    private static Optional<String> play(Script drawn, DiskDriver driver, Panel panel) throws IOException {
        Script script = drawn.withRigour(Rigour.EACH);
        Ground ground = Ground.ofLayers(script);
        TraceJudge traces = new TraceJudge(script, panel);
        List<Subject> subjects = new ArrayList<>();
        try {
            subjects.add(traces.join(driver, ground.stage(driver, script.efficientZeroing())));
            World world = new World(new GuestModel(ground.content().size(), ground.content()), ground, script);
            Performer performer = new Performer(new Crew(subjects, (subject, refusal) -> true), world, panel, false);
            for (Operation operation : script.operations()) {
                traces.before(operation, subjects);
                operation.accept(performer);
                for (Subject subject : subjects) {
                    subject.disk().flush();
                }
                traces.after(subjects);
            }
            return Optional.empty();
        } catch (Objection e) {
            // Other objections end the sequence: they are none of this search's business.
            return e.kind() == Kind.TRACE ? Optional.of(String.valueOf(e.getMessage())) : Optional.empty();
        } catch (Exception | StackOverflowError e) {
            // A wrong implementation may throw anything; this too others look for.
            return Optional.empty();
        } finally {
            close(subjects);
        }
    }

    private static void close(List<Subject> subjects) {
        for (Subject subject : subjects) {
            try {
                subject.disk().close();
            } catch (DiskException | RuntimeException e) {
                // Nothing more is asked of it.
            }
        }
    }
}
