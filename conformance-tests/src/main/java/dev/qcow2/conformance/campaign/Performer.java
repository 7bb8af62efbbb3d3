package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Change;
import dev.qcow2.conformance.language.Operation.Discard;
import dev.qcow2.conformance.language.Operation.Exchange;
import dev.qcow2.conformance.language.Operation.Flush;
import dev.qcow2.conformance.language.Operation.Qemu;
import dev.qcow2.conformance.language.Operation.Ranged;
import dev.qcow2.conformance.language.Operation.Read;
import dev.qcow2.conformance.language.Operation.Reopen;
import dev.qcow2.conformance.language.Operation.SnapshotApply;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Operation.SnapshotDelete;
import dev.qcow2.conformance.language.Operation.Status;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.model.BaseContent;
import dev.qcow2.spec.model.GuestModel;
import dev.qcow2.spec.model.GuestModel.DiscardRule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Performs operations: first on every implementation, then on the model. */
final class Performer implements Operation.Visitor<Void, Exception> {

    /** A request to an open disk. */
    @FunctionalInterface
    private interface DiskRequest {
        void send(VirtualDisk disk) throws DiskException;
    }

    private static final int CHUNK = 1 << 20;

    private final List<Subject> subjects;
    private final GuestModel model;
    private final Panel panel;
    private final boolean suitsQemu;
    private final DiscardRule discardRule;
    private final Map<String, GuestModel.Saved> snapshots = new HashMap<>();

    Performer(List<Subject> subjects, GuestModel model, Ground ground, Panel panel, boolean suitsQemu)
            throws IOException {
        this.subjects = subjects;
        this.model = model;
        this.panel = panel;
        this.suitsQemu = suitsQemu;
        // QC-L2-08: version 2 has no zero clusters that could hide what lies below.
        boolean effective = ground.version() >= 3 || ground.below().isEmpty();
        this.discardRule = new DiscardRule(1L << ground.clusterBits(), effective);
        for (var snapshot : ground.snapshots().entrySet()) {
            snapshots.put(snapshot.getKey(), contentAsSaved(snapshot.getValue()));
        }
    }

    /** The model keeps what it has held itself; so it holds the snapshot's content for a moment. */
    private GuestModel.Saved contentAsSaved(BaseContent content) throws IOException {
        GuestModel.Saved present = model.save();
        for (long at = 0; at < model.size(); at += CHUNK) {
            ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK, model.size() - at));
            content.readZeroPadded(at, chunk);
            model.write(at, chunk.flip());
        }
        GuestModel.Saved saved = model.save();
        model.restore(present);
        return saved;
    }

    /** Sends a request to every disk; true if it is inside the disk, so that the model has to follow. */
    private boolean send(Ranged step, DiskRequest request) throws Objection, IOException {
        boolean inside = model.contains(step.offset(), step.length());
        for (Subject subject : subjects) {
            if (inside) {
                Requests.mustSucceed(subject.name(), () -> request.send(subject.disk()));
            } else {
                Requests.mustBeOutOfBounds(subject.name(), () -> request.send(subject.disk()));
            }
        }
        return inside;
    }

    @Override
    public Void read(Read step) throws Objection, IOException {
        int length = Math.toIntExact(step.length());
        if (!model.contains(step.offset(), length)) {
            send(step, disk -> disk.read(step.offset(), ByteBuffer.allocate(length)));
            return null;
        }
        for (Subject subject : subjects) {
            Requests.mustSucceed(subject.name(), () -> new Comparison(model)
                    .bytes(subject.disk(), step.offset(), length, Kind.WRONG_BYTES, subject.name()));
        }
        return null;
    }

    @Override
    public Void write(Write step) throws Objection, IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Fill.bytes(step.fill(), Math.toIntExact(step.length())));
        if (send(step, disk -> disk.write(step.offset(), bytes.duplicate()))) {
            model.write(step.offset(), bytes.duplicate());
        }
        return null;
    }

    @Override
    public Void writeZeroes(WriteZeroes step) throws Objection, IOException {
        if (send(step, disk -> disk.writeZeroes(step.offset(), step.length(), step.mode()))) {
            model.zero(step.offset(), step.length());
        }
        return null;
    }

    @Override
    public Void discard(Discard step) throws Objection, IOException {
        if (send(step, disk -> disk.discard(step.offset(), step.length()))) {
            model.discard(step.offset(), step.length(), discardRule);
        }
        return null;
    }

    @Override
    public Void status(Status step) throws Objection, IOException {
        if (!model.contains(step.offset(), step.length())) {
            send(step, disk -> disk.status(step.offset(), step.length()));
            return null;
        }
        for (Subject subject : subjects) {
            Requests.mustSucceed(subject.name(), () -> new Comparison(model)
                    .status(subject.disk(), step.offset(), step.length(), subject.name()));
        }
        return null;
    }

    @Override
    public Void flush(Flush step) throws Objection, IOException {
        forEach(subject -> subject.disk().flush());
        return null;
    }

    @Override
    public Void reopen(Reopen step) throws Objection, IOException {
        forEach(subject -> {
            subject.disk().close();
            subject.reopen();
        });
        return null;
    }

    @Override
    public Void exchange(Exchange step) throws Objection, IOException {
        forEach(subject -> subject.disk().close());
        List<Stage> stages = subjects.stream().map(Subject::stage).toList();
        for (int i = 0; i < subjects.size(); i++) {
            subjects.get(i).takeOver(stages.get((i + stages.size() - 1) % stages.size()));
        }
        forEach(Subject::reopen);
        return null;
    }

    @Override
    public Void snapshotCreate(SnapshotCreate step) throws Objection, IOException {
        boolean fresh = !snapshots.containsKey(step.name());
        if (fresh && allDo("snapshot-create", subject -> subject.disk().createSnapshot(step.name()))) {
            snapshots.put(step.name(), model.save());
        }
        return null;
    }

    @Override
    public Void snapshotApply(SnapshotApply step) throws Objection, IOException {
        GuestModel.Saved saved = snapshots.get(step.name());
        if (saved != null
                && allDo("snapshot-apply", subject -> subject.disk().applySnapshot(id(subject, step.name())))) {
            model.restore(saved);
        }
        return null;
    }

    @Override
    public Void snapshotDelete(SnapshotDelete step) throws Objection, IOException {
        if (snapshots.containsKey(step.name())
                && allDo("snapshot-delete", subject -> subject.disk().deleteSnapshot(id(subject, step.name())))) {
            snapshots.remove(step.name());
        }
        return null;
    }

    private static String id(Subject subject, String name) throws DiskException {
        return subject.disk().snapshots().stream()
                .filter(snapshot -> snapshot.name().equals(name))
                .map(SnapshotInfo::id)
                .findFirst()
                .orElse("missing snapshot " + name);
    }

    /** What a subject is asked to do. */
    @FunctionalInterface
    private interface SubjectRequest {
        void send(Subject subject) throws DiskException;
    }

    private void forEach(SubjectRequest request) throws Objection, IOException {
        for (Subject subject : subjects) {
            Requests.mustSucceed(subject.name(), () -> request.send(subject));
        }
    }

    /** A snapshot may be refused, for instance when a count would overflow (QC-REF-11); but by all or by none. */
    private boolean allDo(String what, SubjectRequest request) throws Objection, IOException {
        List<String> refusals = new ArrayList<>();
        for (Subject subject : subjects) {
            Optional<DiskException> refusal = Requests.refusal(subject.name(), () -> request.send(subject));
            refusal.ifPresent(reason -> refusals.add(subject.name() + ": " + reason));
        }
        if (!refusals.isEmpty() && refusals.size() < subjects.size()) {
            throw new Objection(Kind.REFUSAL, refusals.get(0), what + " is refused by some and done by others");
        }
        return refusals.isEmpty();
    }

    @Override
    public Void qemu(Qemu step) throws Exception {
        Change change = step.change();
        boolean aligned = change.length() > 0 && change.offset() % 512 == 0 && change.length() % 512 == 0;
        if (panel.qemu().isEmpty() || !suitsQemu || !aligned || !model.contains(change.offset(), change.length())) {
            return change.accept(this);
        }
        for (Subject subject : subjects) {
            qemu(subject, change);
        }
        if (change instanceof Discard) {
            settleDiscard(change);
        } else if (change instanceof Write write) {
            model.write(write.offset(), ByteBuffer.wrap(Fill.bytes(write.fill(), Math.toIntExact(write.length()))));
        } else {
            model.zero(change.offset(), change.length());
        }
        return null;
    }

    private void qemu(Subject subject, Change change) throws Objection, IOException {
        Requests.mustSucceed(subject.name(), () -> subject.disk().close());
        try (Scratch scratch = Scratch.in(panel.scratch())) {
            Path image = subject.stage().exportTo(scratch.path());
            panel.qemu().orElseThrow().change(image, change);
            subject.stage().importFrom(image);
        } catch (DiskException e) {
            throw e;
        } catch (IOException e) {
            throw new Objection(Kind.QEMU, "QEMU on the image of " + subject.name(), String.valueOf(e.getMessage()));
        }
        Requests.mustSucceed(subject.name(), subject::reopen);
    }

    /** QC-GUEST-04: QEMU is free to keep or to zero each byte; afterwards all disks are made the same again. */
    private void settleDiscard(Change change) throws Objection, IOException {
        int length = Math.toIntExact(Math.min(change.length(), 1 << 24));
        for (Subject subject : subjects) {
            ByteBuffer observed = ByteBuffer.allocate(length);
            Requests.mustSucceed(subject.name(), () -> subject.disk().read(change.offset(), observed));
            var wrong = model.firstNeitherOldNorZero(change.offset(), observed.flip());
            if (wrong.isPresent()) {
                String message = "guest byte " + wrong.getAsLong() + " is neither old nor zero after QEMU's discard";
                throw new Objection(Kind.WRONG_BYTES, subject.name(), message);
            }
        }
        writeZeroes(new WriteZeroes(change.offset(), change.length(), ZeroMode.MAY_UNMAP));
    }
}
