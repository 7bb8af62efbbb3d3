package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.MaintenanceStep;
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
import dev.qcow2.conformance.language.OperationVisitor;
import dev.qcow2.conformance.language.Resize;
import dev.qcow2.conformance.language.VmStateStep;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** Performs operations: first on every implementation, then on the model. */
final class Performer implements OperationVisitor<Void, Exception> {

    /** A request to an open disk. */
    @FunctionalInterface
    private interface DiskRequest {
        void send(VirtualDisk disk) throws DiskException;
    }

    private final Crew crew;
    private final World world;
    private final GuestModel model;
    private final Map<String, GuestModel.Saved> snapshots;
    private final BitmapPerformer bitmaps;
    private final MaintenancePerformer maintenance;
    private final QemuPerformer qemu;

    Performer(Crew crew, World world, Panel panel, boolean suitsQemu) {
        this.crew = crew;
        this.world = world;
        this.model = world.model();
        this.snapshots = world.snapshots();
        this.bitmaps = new BitmapPerformer(crew, world.dirty());
        this.maintenance = new MaintenancePerformer(crew, world);
        this.qemu = new QemuPerformer(crew, world, panel, suitsQemu);
    }

    BitmapPerformer bitmaps() {
        return bitmaps;
    }

    /** Sends a request to every disk; true if it is inside the disk, so that the model has to follow. */
    private boolean send(Ranged step, DiskRequest request) throws Objection, IOException {
        boolean inside = model.contains(step.offset(), step.length());
        if (inside) {
            crew.mustSucceed(subject -> request.send(subject.disk()));
        } else {
            crew.mustBeOutOfBounds(subject -> request.send(subject.disk()));
        }
        if (inside && step instanceof Change) {
            world.changed(step.offset(), step.length());
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
        Comparison comparison = new Comparison(model);
        crew.mustSucceed(
                subject -> comparison.bytes(subject.disk(), step.offset(), length, Kind.WRONG_BYTES, subject.name()));
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
            model.discard(step.offset(), step.length(), world.discardRule());
        }
        return null;
    }

    @Override
    public Void status(Status step) throws Objection, IOException {
        if (!model.contains(step.offset(), step.length())) {
            send(step, disk -> disk.status(step.offset(), step.length()));
            return null;
        }
        Comparison comparison = new Comparison(model);
        crew.mustSucceed(subject -> comparison.status(subject.disk(), step.offset(), step.length(), subject.name()));
        return null;
    }

    @Override
    public Void flush(Flush step) throws Objection, IOException {
        crew.mustSucceed(subject -> subject.disk().flush());
        return null;
    }

    @Override
    public Void reopen(Reopen step) throws Objection, IOException {
        crew.mustSucceed(subject -> {
            subject.disk().close();
            subject.reopen();
        });
        return null;
    }

    @Override
    public Void exchange(Exchange step) throws Objection, IOException {
        crew.mustSucceed(subject -> subject.disk().close());
        List<Subject> subjects = crew.subjects();
        List<Stage> stages = subjects.stream().map(Subject::stage).toList();
        for (int i = 0; i < subjects.size(); i++) {
            subjects.get(i).takeOver(stages.get((i + stages.size() - 1) % stages.size()));
        }
        crew.mustSucceed(Subject::reopen);
        return null;
    }

    @Override
    public Void snapshotCreate(SnapshotCreate step) throws Objection, IOException {
        boolean fresh = !snapshots.containsKey(step.name());
        if (fresh
                && crew.allDo(
                        "snapshot-create",
                        subject -> subject.disk().createSnapshot(step.name(), step.vmStateSize()),
                        PackedExcuse.SNAPSHOT)) {
            snapshots.put(step.name(), model.takeSnapshot(step.vmStateSize()));
        }
        return null;
    }

    @Override
    public Void snapshotApply(SnapshotApply step) throws Objection, IOException {
        GuestModel.Saved saved = snapshots.get(step.name());
        if (saved != null
                && crew.allDo(
                        "snapshot-apply",
                        subject -> subject.disk().applySnapshot(id(subject, step.name())),
                        PackedExcuse.LOAD)) {
            model.restore(saved);
            world.dirty().loaded(model.size());
        }
        return null;
    }

    @Override
    public Void snapshotDelete(SnapshotDelete step) throws Objection, IOException {
        if (snapshots.containsKey(step.name())
                && crew.allDo("snapshot-delete", subject -> subject.disk().deleteSnapshot(id(subject, step.name())))) {
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

    @Override
    public Void writeCompressed(WriteCompressed step) throws Objection, IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Fill.bytes(step.fill(), Math.toIntExact(step.length())));
        Crew.SubjectRequest request = subject -> subject.disk().writeCompressed(step.offset(), bytes.duplicate());
        boolean inside = model.contains(step.offset(), step.length());
        if (step.length() == 0 && inside) {
            // Nothing to do, and nothing that it could be refused for, or it is: both are right.
            for (Subject subject : crew.subjects()) {
                Requests.refusal(subject.name(), () -> request.send(subject));
            }
        } else if (!inside || !world.wholeClusters(step.offset(), step.length()) || !world.mayCompress()) {
            crew.mustRefuse("a compressed write outside the disk, not of whole clusters or where none can be", request);
        } else {
            crew.mustSucceed(request);
            model.write(step.offset(), bytes.duplicate());
            world.changed(step.offset(), step.length());
        }
        return null;
    }

    @Override
    public Void resize(Resize step) throws Objection, IOException {
        if (crew.allDo("resize", subject -> subject.disk().resize(step.size(), step.preallocation()))) {
            model.resize(step.size());
            world.dirty().resize(step.size());
        }
        for (Subject subject : crew.subjects()) {
            long size = subject.disk().size();
            if (size != model.size()) {
                throw new Objection(
                        Kind.WRONG_BYTES, subject.name(), "the disk has " + size + " bytes, expected " + model.size());
            }
        }
        return null;
    }

    @Override
    public Void vmState(VmStateStep step) throws Objection, IOException {
        int length = Math.toIntExact(step.length());
        if (step instanceof VmStateStep.Write write) {
            ByteBuffer bytes = ByteBuffer.wrap(Fill.bytes(write.fill(), length));
            if (crew.allDo(
                    "vm-state write", subject -> subject.disk().writeVmState(step.offset(), bytes.duplicate()))) {
                model.writeVmState(step.offset(), bytes);
            }
            return null;
        }
        ByteBuffer expected = ByteBuffer.allocate(length);
        model.readVmState(step.offset(), expected);
        for (Subject subject : crew.subjects()) {
            ByteBuffer observed = ByteBuffer.allocate(length);
            Requests.mustSucceed(subject.name(), () -> subject.disk().readVmState(step.offset(), observed));
            int at = observed.flip().mismatch(expected.rewind());
            if (at >= 0) {
                String found = "is " + Fill.describe(observed.array(), at) + ", expected is "
                        + Fill.describe(expected.array(), at);
                throw new Objection(
                        Kind.WRONG_BYTES,
                        subject.name(),
                        "byte " + (step.offset() + at) + " of machine state " + found);
            }
        }
        return null;
    }

    @Override
    public Void bitmap(BitmapStep step) throws Objection, IOException {
        bitmaps.perform(step);
        return null;
    }

    @Override
    public Void maintenance(MaintenanceStep step) throws Objection, IOException {
        maintenance.perform(step);
        return null;
    }

    @Override
    public Void qemu(Qemu step) throws Exception {
        if (!qemu.canDo(step.step())) {
            return step.step().accept(this);
        }
        qemu.perform(step.step());
        if (step.step() instanceof Discard discard) {
            settleDiscard(discard);
        }
        return null;
    }

    /** QC-GUEST-04: QEMU is free to keep or to zero each byte; afterwards all disks are made the same again. */
    private void settleDiscard(Change change) throws Objection, IOException {
        int length = Math.toIntExact(Math.min(change.length(), 1 << 24));
        for (Subject subject : crew.subjects()) {
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
