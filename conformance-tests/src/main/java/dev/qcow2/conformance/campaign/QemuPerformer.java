package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.image.ImageDamage;
import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.MaintenanceStep.Repair;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Change;
import dev.qcow2.conformance.language.Operation.SnapshotApply;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Operation.SnapshotDelete;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Resize;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Lets QEMU do steps to the images, between those of the implementations. */
final class QemuPerformer {

    private static final int SECTOR = 512;
    private static final int LARGEST_CLUSTER_BITS = 21;

    private final Crew crew;
    private final World world;
    private final GuestModel model;
    private final Panel panel;
    private final boolean suits;

    QemuPerformer(Crew crew, World world, Panel panel, boolean suits) {
        this.crew = crew;
        this.world = world;
        this.model = world.model();
        this.panel = panel;
        this.suits = suits;
    }

    /** Says whether QEMU is there, opens such images, and means the same by the step as the implementations do. */
    boolean canDo(Operation step) {
        if (panel.qemu().isEmpty() || !suits) {
            return false;
        }
        if (step instanceof Change change) {
            return canDo(change);
        }
        if (step instanceof BitmapStep bitmap) {
            return fits(bitmap);
        }
        // QEMU leaves machine state in the active tables, where the next snapshot finds it again.
        boolean settled = !world.savesState();
        if (step instanceof SnapshotCreate create) {
            return settled && create.vmStateSize() == 0 && !world.snapshots().containsKey(create.name());
        }
        if (step instanceof SnapshotApply apply) {
            // It does not make bitmaps dirty then.
            return settled
                    && world.dirty().names().isEmpty()
                    && world.snapshots().containsKey(apply.name());
        }
        if (step instanceof SnapshotDelete delete) {
            return world.snapshots().containsKey(delete.name());
        }
        if (step instanceof Repair) {
            // With bitmaps, it forgets all snapshots when it repairs.
            return world.dirty().names().isEmpty() || world.snapshots().isEmpty();
        }
        if (step instanceof Amend amend) {
            return amends(amend);
        }
        return !(step instanceof Resize resize) || (settled && resize.size() % SECTOR == 0);
    }

    /**
     * It never ends with another width of counts of some images. When it makes them version 2 it leaks bitmaps, and takes what a
     * zero cluster keeps for that one's own, also where a snapshot shares it.
     */
    private boolean amends(Amend amend) {
        boolean width = amend.changes().refcountOrder().isEmpty()
                || world.layers().stream()
                        .limit(1)
                        .noneMatch(top -> top.features().extendedL2() || top.clusterBits() == LARGEST_CLUSTER_BITS);
        boolean old = amend.changes().version().filter(version -> version == 2).isPresent();
        boolean alone = world.dirty().names().isEmpty() && world.snapshots().isEmpty();
        return width && (!old || alone);
    }

    private boolean canDo(Change change) {
        boolean aligned = change.length() > 0 && change.offset() % SECTOR == 0 && change.length() % SECTOR == 0;
        boolean packs = change instanceof WriteCompressed;
        boolean whole = world.mayCompress() && world.wholeClusters(change.offset(), change.length());
        return aligned && model.contains(change.offset(), change.length()) && (!packs || whole);
    }

    private boolean fits(BitmapStep step) {
        boolean adds = step.action() == BitmapStep.Action.ADD;
        boolean other =
                !(step instanceof BitmapStep.Merge merge) || world.dirty().has(merge.from());
        // It makes one on an empty disk, and then no longer opens the image.
        boolean possible = step.action() != BitmapStep.Action.ASK && model.size() > 0;
        return possible && adds != world.dirty().has(step.name()) && other;
    }

    /** Does the step on each image. QEMU may refuse what is no change of the guest's, but on all images or on none. */
    void perform(Operation step) throws Objection, IOException {
        List<String> refusals = new ArrayList<>();
        for (Subject subject : crew.subjects()) {
            Optional<String> refusal = run(subject, step);
            if (refusal.isPresent() && step instanceof WriteCompressed write) {
                // QEMU never writes compressed data over a cluster that is there; which ones are is up to each
                // implementation.
                ByteBuffer bytes = bytes(write.fill(), write.length());
                Requests.mustSucceed(subject.name(), () -> subject.disk().writeCompressed(write.offset(), bytes));
            } else {
                refusal.ifPresent(reason -> refusals.add(subject.name() + ": " + reason));
            }
        }
        boolean all = refusals.size() == crew.subjects().size();
        boolean mayRefuse = !(step instanceof Change) && !(step instanceof Repair);
        if (!refusals.isEmpty() && !(all && mayRefuse)) {
            throw new Objection(Kind.QEMU, "QEMU", "it refuses \"" + step.text() + "\" on " + refusals.get(0));
        }
        if (refusals.isEmpty()) {
            follow(step);
        }
    }

    private Optional<String> run(Subject subject, Operation step) throws Objection, IOException {
        Requests.mustSucceed(subject.name(), () -> subject.disk().close());
        Operation asked = step;
        if (step instanceof Repair repair) {
            try (HostFile file =
                    subject.stage().directory().open(subject.stage().imageName(), Access.READ_WRITE)) {
                ImageDamage.apply(repair.damage(), file);
            }
            asked = new Repair(RepairMode.ALL, repair.damage());
        }
        Optional<String> refusal;
        try (Scratch scratch = Scratch.in(panel.scratch())) {
            QemuImage image = subject.stage().exportTo(scratch.path());
            refusal = panel.qemu().orElseThrow().perform(image, asked);
            if (refusal.isEmpty()) {
                subject.stage().importFrom(image);
            }
        } catch (DiskException e) {
            throw e;
        } catch (IOException e) {
            throw new Objection(Kind.QEMU, "QEMU on the image of " + subject.name(), String.valueOf(e.getMessage()));
        }
        Requests.mustSucceed(subject.name(), subject::reopen);
        return refusal;
    }

    /** Lets the model follow; what a discard of QEMU's makes of each byte is its own choice (QC-GUEST-04). */
    private void follow(Operation step) throws IOException {
        if (step instanceof Change change) {
            follow(change);
        } else if (step instanceof SnapshotCreate create) {
            world.snapshots().put(create.name(), model.takeSnapshot(0));
        } else if (step instanceof SnapshotApply apply) {
            model.restore(Objects.requireNonNull(world.snapshots().get(apply.name())));
            world.dirty().loaded(model.size());
        } else if (step instanceof SnapshotDelete delete) {
            world.snapshots().remove(delete.name());
        } else if (step instanceof Resize resize) {
            model.resize(resize.size());
            world.dirty().resize(resize.size());
        } else if (step instanceof BitmapStep bitmap) {
            world.dirty().apply(bitmap);
        } else if (step instanceof Amend amend) {
            amend.changes().version().ifPresent(world::becomesVersion);
        }
    }

    private void follow(Change change) throws IOException {
        world.changed(change.offset(), change.length());
        if (change instanceof Write write) {
            model.write(write.offset(), bytes(write.fill(), write.length()));
        } else if (change instanceof WriteCompressed write) {
            model.write(write.offset(), bytes(write.fill(), write.length()));
        } else if (change.kind() == Operation.Kind.WRITE_ZEROES) {
            model.zero(change.offset(), change.length());
        }
    }

    private static ByteBuffer bytes(int fill, long length) {
        return ByteBuffer.wrap(Fill.bytes(fill, Math.toIntExact(length)));
    }
}
