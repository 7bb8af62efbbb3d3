package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.conformance.trace.TraceStore;
import dev.qcow2.conformance.trace.TraceWatch;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.TraceRefusal;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Has each subject's image watched: after every operation its tables must have changed as the formal model allows. */
final class TraceJudge {

    private final IdentityHashMap<Subject, TraceWatch> watches = new IdentityHashMap<>();

    private final Script script;
    private final boolean onHost;
    private final Optional<TraceStore> store;

    TraceJudge(Script script, Panel panel) {
        this.script = script;
        this.onHost = panel.tracesHost();
        this.store = panel.traces();
    }

    /** Opens an image for an implementation, watched from the first moment. */
    Subject join(DiskDriver driver, Stage stage) throws DiskException {
        if (!watches()) {
            return new Subject(driver, stage, Optional.empty());
        }
        TraceWatch watch = new TraceWatch(store.isPresent());
        try (HostFile file = stage.directory().open(stage.imageName(), Access.READ_ONLY)) {
            watch.start(file);
        }
        Subject subject = new Subject(driver, stage, onHost ? Optional.of(watch.sink()) : Optional.empty());
        watches.put(subject, watch);
        return subject;
    }

    private boolean watches() {
        return script.rigour() == Rigour.EACH;
    }

    void before(Operation operation, List<Subject> subjects) throws DiskException {
        for (Subject subject : subjects) {
            TraceWatch watch = watches.get(subject);
            if (watch != null) {
                watch.before(operation, subject.disk());
            }
        }
    }

    void after(List<Subject> subjects) throws Objection, DiskException {
        for (Subject subject : subjects) {
            TraceWatch watch = watches.get(subject);
            if (watch == null) {
                continue;
            }
            try (HostFile file = subject.openBytes()) {
                Optional<TraceRefusal> refusal = watch.after(file);
                if (refusal.isPresent()) {
                    throw new Objection(
                            Kind.TRACE, subject.name(), refusal.get().toString());
                }
            }
        }
    }

    /** Gives the traces away, whatever the sequence came to. */
    void keep() throws IOException {
        if (store.isPresent()) {
            for (Map.Entry<Subject, TraceWatch> entry : watches.entrySet()) {
                store.get().keep(entry.getKey().name(), entry.getValue().recorded());
            }
        }
    }
}
