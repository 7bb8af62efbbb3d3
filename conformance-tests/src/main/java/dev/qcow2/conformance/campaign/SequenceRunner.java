package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Ranged;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/**
 * Runs one sequence on every implementation and on the model, and judges after each operation.
 *
 * <p>What is compared: the bytes of each disk with the model, its block status with the model; and,
 * when the files are up to date, the audit of each image, and the bytes that another implementation
 * reads from it. A small disk is compared as a whole each time; of a large one the range that was
 * touched with its neighbours, and samples; the whole at the end.
 */
final class SequenceRunner {

    private static final long SMALL = 96 << 10;
    private static final long MOST_AT_END = 4 << 20;
    private static final long LONGEST_LOOK = 1 << 20;
    private static final int SAMPLES = 4;

    private final Script script;
    private final List<DiskDriver> drivers;
    private final Panel panel;
    private final List<Subject> subjects = new ArrayList<>();
    private final TraceJudge traces;
    private int step;

    SequenceRunner(Script script, List<DiskDriver> drivers, Panel panel) {
        this.script = script;
        this.drivers = drivers;
        this.panel = panel;
        this.traces = new TraceJudge(script, panel);
    }

    /** Returns what is wrong, or empty. */
    Optional<Difference> run() {
        try {
            try {
                play();
            } finally {
                traces.keep();
            }
            return Optional.empty();
        } catch (Objection e) {
            return difference(e.kind(), e.subject(), String.valueOf(e.getMessage()));
        } catch (IOException e) {
            return difference(Kind.REFUSAL, "an implementation", e.toString());
        } catch (Exception | Error e) {
            // Whatever comes out of an implementation is a finding, an OutOfMemoryError included.
            return difference(Kind.CRASH, culprit(e), describe(e));
        } finally {
            closeQuietly();
        }
    }

    private Optional<Difference> difference(Kind kind, String subject, String message) {
        return Optional.of(new Difference(kind, subject, step, message, script, script));
    }

    private static String describe(Throwable e) {
        StackTraceElement[] trace = e.getStackTrace();
        return e + (trace.length == 0 ? "" : " at " + trace[0]);
    }

    private static String culprit(Throwable e) {
        for (StackTraceElement frame : e.getStackTrace()) {
            String name = frame.getClassName();
            if (name.startsWith("dev.qcow2.") && !name.startsWith("dev.qcow2.spec.")) {
                return name;
            }
        }
        return "an implementation";
    }

    private void play() throws Exception {
        Ground ground = script.image().isPresent() ? panel.image().orElseThrow() : Ground.ofLayers(script);
        GuestModel model = new GuestModel(ground.content().size(), ground.content());
        for (DiskDriver driver : drivers) {
            join(driver, ground);
        }
        if (subjects.isEmpty()) {
            return;
        }
        World world = new World(model, ground, script);
        Performer performer = new Performer(new Crew(subjects, this::mayLeave), world, panel, script.suitsQemu());
        TransitionCounter counter = new TransitionCounter(world, ground, panel.coverage());
        judgeAll(model, 0, Math.min(model.size(), SMALL), script.rigour() == Rigour.EACH);
        for (step = 0; step < script.operations().size(); step++) {
            Operation operation = script.operations().get(step);
            boolean each = script.rigour() == Rigour.EACH;
            if (each) {
                counter.before(operation, subjects);
                traces.before(operation, subjects);
            }
            operation.accept(performer);
            if (subjects.isEmpty()) {
                return;
            }
            panel.coverage().operation(operation);
            judge(model, operation, each);
            if (each) {
                counter.after();
                traces.after(subjects);
            }
        }
        finish(model);
        compareBitmaps(performer.bitmaps(), world);
    }

    /** Who refuses by name what the image uses takes no part. */
    private boolean mayLeave(Subject subject, UnsupportedFeatureException refusal) {
        boolean leaves = !isPlain();
        if (leaves) {
            panel.coverage().leftOut(subject.name(), refusal.feature());
        }
        return leaves;
    }

    /** Says whether the sequence has nothing that may be refused by name. */
    private boolean isPlain() {
        return EnumSet.of(Feature.SNAPSHOTS).containsAll(Feature.neededBy(script));
    }

    private void join(DiskDriver driver, Ground ground) throws Objection, IOException {
        try {
            subjects.add(traces.join(driver, ground.stage(driver, script.efficientZeroing())));
        } catch (UnsupportedFeatureException e) {
            if (isPlain()) {
                throw new Objection(Kind.REFUSAL, driver.name(), "opening: " + e);
            }
            panel.coverage().leftOut(driver.name(), e.feature());
        } catch (DiskException e) {
            throw new Objection(Kind.REFUSAL, driver.name(), "opening: " + e);
        }
    }

    private void judge(GuestModel model, Operation operation, boolean each) throws Objection, IOException {
        boolean settled = each || operation.kind() == Operation.Kind.FLUSH || operation.kind() == Operation.Kind.REOPEN;
        if (model.size() <= SMALL) {
            judgeAll(model, 0, model.size(), settled);
            return;
        }
        long offset = 0;
        long length = 0;
        if (operation instanceof Ranged ranged && model.contains(ranged.offset(), ranged.length())) {
            offset = ranged.offset();
            length = ranged.length();
        }
        long neighbour = SMALL / 2;
        long from = Math.max(0, offset - neighbour);
        long to = Math.min(model.size(), offset + Math.min(length, LONGEST_LOOK) + neighbour);
        judgeAll(model, from, to - from, settled);
        for (int i = 1; i <= SAMPLES; i++) {
            // Places that depend on the step alone, so that a replay looks at the same ones.
            long at = Math.floorMod((step + 1) * 0x9E3779B97F4A7C15L * i, model.size());
            for (Subject subject : subjects) {
                long sample = Math.min(512, model.size() - at);
                new Comparison(model).bytes(subject.disk(), at, sample, Kind.WRONG_BYTES, subject.name());
            }
        }
    }

    private void judgeAll(GuestModel model, long offset, long length, boolean settled) throws Objection, IOException {
        Comparison comparison = new Comparison(model);
        for (Subject subject : subjects) {
            Requests.mustSucceed(subject.name(), () -> {
                comparison.bytes(subject.disk(), offset, length, Kind.WRONG_BYTES, subject.name());
                comparison.status(subject.disk(), offset, length, subject.name());
                if (settled) {
                    subject.disk().flush();
                }
            });
        }
        if (settled) {
            for (int i = 0; i < subjects.size(); i++) {
                audit(subjects.get(i));
                foreignRead(comparison, i, offset, length);
            }
        }
    }

    private void audit(Subject subject) throws Objection, DiskException {
        try (HostFile file = subject.openBytes()) {
            List<String> faults = panel.judge().faults(file);
            if (!faults.isEmpty()) {
                throw new Objection(Kind.AUDIT, subject.name(), faults.size() + " findings: " + faults.get(0));
            }
        }
    }

    /** QC-MNT-08: postponed counts are on disk when the image is closed, and the dirty bit is gone. */
    private static void closedClean(Subject subject) throws Objection, DiskException {
        try (HostFile file = subject.openBytes()) {
            if (AuditJudge.isDirty(file)) {
                throw new Objection(
                        Kind.AUDIT, subject.name(), "the image is still dirty after it was closed [QC-MNT-08]");
            }
        }
    }

    /** Another implementation, each in its turn, opens the image and reads the same bytes. */
    private void foreignRead(Comparison comparison, int index, long offset, long length) throws Objection, IOException {
        int count = subjects.size();
        if (count == 1) {
            return;
        }
        Subject subject = subjects.get(index);
        DiskDriver other =
                subjects.get((index + 1 + step % (count - 1)) % count).driver();
        String who = other.name() + " reading the image of " + subject.name();
        try (VirtualDisk disk = subject.openForeign(other)) {
            comparison.bytes(disk, offset, length, Kind.FOREIGN_READ, who);
        } catch (DiskException e) {
            throw new Objection(Kind.FOREIGN_READ, who, e.toString());
        }
    }

    private void finish(GuestModel model) throws Objection, IOException {
        // The sequences that QEMU judges are few: there the largest disk is compared as a whole.
        long most = script.qemuJudges() ? model.size() : MOST_AT_END;
        judgeAll(model, 0, Math.min(model.size(), most), true);
        for (Subject subject : subjects) {
            Requests.mustSucceed(subject.name(), () -> subject.disk().close());
            audit(subject);
            closedClean(subject);
            if (!script.layers().isEmpty() && script.layers().get(0).traits().maker() == Maker.KIT) {
                KeptExtension.check(subject);
            }
        }
        if (script.qemuJudges() && script.suitsQemu() && panel.qemu().isPresent()) {
            QemuJudge judge = new QemuJudge(panel.qemu().get(), panel.scratch(), model);
            for (Subject subject : subjects) {
                judge.judge(subject);
            }
        }
    }

    /** What bitmaps say is on disk after the close: somebody else reads it there, if there is somebody else. */
    private void compareBitmaps(BitmapPerformer bitmaps, World world) throws Objection, IOException {
        if (world.dirty().names().isEmpty()) {
            return;
        }
        for (int i = 0; i < subjects.size(); i++) {
            Subject subject = subjects.get(i);
            DiskDriver other = subjects.get((i + 1) % subjects.size()).driver();
            String who = other.name() + " reading the bitmaps of " + subject.name();
            try (VirtualDisk disk = subject.openForeign(other)) {
                bitmaps.compareAll(disk, Kind.WRONG_BITMAP, who);
            } catch (DiskException e) {
                throw new Objection(Kind.FOREIGN_READ, who, e.toString());
            }
        }
    }

    /** After a difference the disks may be in any state; what closing says then is of no interest. */
    private void closeQuietly() {
        for (Subject subject : subjects) {
            try {
                subject.disk().close();
            } catch (DiskException | RuntimeException | Error e) {
                // The difference that ended the sequence is already known.
            }
        }
    }
}
