package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.generate.ScriptGenerator;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks for errors of one implementation with one kind of judge alone, so that it is seen what each kind finds by itself:
 * either bytes, status and refusals are compared with the model, or the image is audited.
 */
public final class FaultSearch {

    private FaultSearch() {}

    /**
     * Compares with the model and with another implementation, which reads what was written.
     *
     * @param driver the implementation
     * @param witness another one
     * @param sequences how many at most
     * @return what was found, or empty
     * @throws IOException if files can't be made
     */
    public static Optional<String> byComparison(DiskDriver driver, DiskDriver witness, long sequences)
            throws IOException {
        try (Surroundings surroundings = Surroundings.prepare(List.of(driver), Optional.empty(), Optional.empty())) {
            ScriptGenerator generator = new ScriptGenerator(1, surroundings.offers());
            Panel whole = surroundings.panel(surroundings.coverage());
            Panel panel = new Panel(Judge.LENIENT, whole.qemu(), whole.scratch(), whole.image(), whole.coverage());
            for (long index = 0; index < sequences; index++) {
                // Traces are judged with the other rigour only, and have a search of their own.
                Script script = generator.script(index, false).withRigour(Rigour.FLUSH);
                Optional<Difference> found = new SequenceRunner(script, List.of(driver, witness), panel).run();
                if (found.isPresent() && found.get().kind() != Kind.AUDIT) {
                    return Optional.of(found.get().kind().words());
                }
            }
            return Optional.empty();
        }
    }

    /**
     * Audits the image after each operation, and looks at nothing else.
     *
     * @param driver the implementation
     * @param sequences how many at most
     * @return what was found, or empty
     * @throws IOException if files can't be made
     */
    public static Optional<String> byAudit(DiskDriver driver, long sequences) throws IOException {
        try (Surroundings surroundings = Surroundings.prepare(List.of(driver), Optional.empty(), Optional.empty())) {
            ScriptGenerator generator = new ScriptGenerator(1, surroundings.offers());
            Panel panel = surroundings.panel(surroundings.coverage());
            for (long index = 0; index < sequences; index++) {
                Script script = generator.script(index, false);
                Optional<String> found = audited(script, driver, panel);
                if (found.isPresent()) {
                    return found;
                }
            }
            return Optional.empty();
        }
    }

    private static Optional<String> audited(Script script, DiskDriver driver, Panel panel) {
        List<Subject> subjects = new ArrayList<>();
        try {
            Ground ground = Ground.ofLayers(script);
            subjects.add(new Subject(driver, ground.stage(driver, script.efficientZeroing())));
            World world = new World(new GuestModel(ground.content().size(), ground.content()), ground, script);
            Performer performer = new Performer(new Crew(subjects, (subject, refusal) -> true), world, panel, false);
            for (Operation operation : script.operations()) {
                operation.accept(performer);
                for (Subject subject : subjects) {
                    subject.disk().flush();
                    try (HostFile file = subject.openBytes()) {
                        List<String> faults = panel.judge().faults(file);
                        if (!faults.isEmpty()) {
                            return Optional.of(faults.get(0).replaceAll(".*\\[(QC-[A-Z0-9-]+)\\]$", "$1"));
                        }
                    }
                }
            }
            return Optional.empty();
        } catch (Exception | StackOverflowError e) {
            // A wrong implementation may throw anything, and may answer wrongly; for that there are other judges.
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
