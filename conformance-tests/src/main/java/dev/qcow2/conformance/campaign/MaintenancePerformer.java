package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.image.ImageDamage;
import dev.qcow2.conformance.language.MaintenanceStep;
import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.MaintenanceStep.Damage;
import dev.qcow2.conformance.language.MaintenanceStep.Rebase;
import dev.qcow2.conformance.language.MaintenanceStep.Repair;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.io.IOException;
import java.util.Optional;

/** Performs steps on closed images; the guest's bytes are compared after each step anyway. */
final class MaintenancePerformer {

    /** What is done to one closed image. */
    @FunctionalInterface
    private interface Upkeep {
        void run(MaintenanceDriver driver, HostDirectory directory, String image, OpenOptions options)
                throws Objection, DiskException;
    }

    private static final String AMEND = "amend";

    private final Crew crew;
    private final World world;

    MaintenancePerformer(Crew crew, World world) {
        this.crew = crew;
        this.world = world;
    }

    void perform(MaintenanceStep step) throws Objection, IOException {
        if (step instanceof Repair repair) {
            repair(repair);
        } else if (step instanceof Rebase rebase) {
            rebase(rebase);
        } else if (step instanceof Amend amend) {
            amend(amend.changes());
        } else if (allDo("commit", MaintenanceDriver::commit)) {
            // QC-MNT-21: the overlay reads as before, whatever is in it now; but of machine state nothing is
            // (QC-SNAP-22).
            world.model().dropVmState();
        }
    }

    /** Who refuses what others do leaves. What version 2 has no words for, all refuse, and it is the same for all (QC-MNT-17). */
    private void amend(AmendOptions changes) throws Objection, IOException {
        if (allDo(AMEND, (driver, files, image, options) -> driver.amend(files, image, changes, options))) {
            changes.version().ifPresent(world::becomesVersion);
        }
    }

    private void rebase(Rebase step) throws Objection, IOException {
        boolean known = step.layer() < world.layers().size();
        boolean same = step.layer() == world.backingLayer();
        // What snapshots leave open is the backing file's, and nobody copies that up for them.
        boolean safe =
                same || (step.mode() == RebaseMode.SAFE && world.snapshots().isEmpty());
        // Whether bytes that are copied up make a bitmap dirty is nowhere said: the guest sees no change, the file
        // does.
        boolean copies =
                step.mode() == RebaseMode.SAFE && !world.dirty().names().isEmpty();
        if (!known || !safe || copies) {
            return;
        }
        Optional<Backing> backing = step.layer() == 0 ? Optional.empty() : Optional.of(backing(step.layer()));
        if (allDo(
                "rebase",
                (driver, files, image, options) -> driver.rebase(files, image, backing, step.mode(), options))) {
            world.getsBacking(step.layer());
        }
    }

    private Backing backing(int layer) {
        return MemoryStage.backingAt(world.layers(), layer);
    }

    private boolean allDo(String what, Upkeep upkeep) throws Objection, IOException {
        crew.mustSucceed(subject -> subject.disk().close());
        boolean done = what.equals(AMEND)
                ? crew.doOrLeave(what, subject -> run(subject, upkeep))
                : crew.allDo(what, subject -> run(subject, upkeep));
        crew.mustSucceed(Subject::reopen);
        return done;
    }

    private static void run(Subject subject, Upkeep upkeep) throws Objection, DiskException {
        if (!(subject.driver() instanceof MaintenanceDriver driver)) {
            throw new Objection(Kind.REFUSAL, subject.name(), "it has no maintenance");
        }
        Stage stage = subject.stage();
        upkeep.run(driver, stage.directory(), stage.imageName(), stage.options(OpenOptions.readWrite()));
    }

    private void repair(Repair step) throws Objection, IOException {
        crew.mustSucceed(subject -> subject.disk().close());
        crew.mustSucceed(subject -> {
            boolean broken;
            try (HostFile file =
                    subject.stage().directory().open(subject.stage().imageName(), OpenOptions.Access.READ_WRITE)) {
                broken = ImageDamage.apply(step.damage(), file);
            }
            if (broken && step.damage() == Damage.DIRTY) {
                repairAtOpen(subject);
            } else {
                run(subject, (driver, files, image, options) -> {
                    // QC-MNT-12: a repair of leaks leaves what is worse to a second one.
                    RepairReport report = driver.repair(files, image, step.mode(), options);
                    if (!report.clean() && step.mode() == RepairMode.LEAKS) {
                        report = driver.repair(files, image, RepairMode.ALL, options);
                    }
                    judge(subject, report, broken);
                });
                subject.reopen();
            }
        });
    }

    private static void judge(Subject subject, RepairReport report, boolean broken) throws Objection {
        boolean touched = report.corruptionsFixed() + report.leaksFixed() > 0;
        if (!report.clean() || touched != broken) {
            String what = (broken ? "a broken" : "a sound") + " image";
            throw new Objection(Kind.AUDIT, subject.name(), "repair of " + what + " gives " + report + " [QC-MNT-16]");
        }
    }

    /** QC-MNT-09: a dirty image is refused for writing, or repaired first, and the opener is told. */
    private static void repairAtOpen(Subject subject) throws Objection, DiskException {
        Optional<DiskException> refusal = refusal(subject);
        if (refusal.isEmpty()) {
            throw new Objection(Kind.NOT_REFUSED, subject.name(), "a dirty image is opened for writing [QC-MNT-09]");
        }
        subject.reopen(OpenOptions.readWrite().repairingDirty());
        if (subject.disk().notices().isEmpty()) {
            throw new Objection(Kind.NOT_REFUSED, subject.name(), "a repair at open is kept secret [QC-MNT-09]");
        }
    }

    private static Optional<DiskException> refusal(Subject subject) {
        try {
            subject.reopen();
            subject.disk().close();
            return Optional.empty();
        } catch (DiskException e) {
            return Optional.of(e);
        }
    }
}
