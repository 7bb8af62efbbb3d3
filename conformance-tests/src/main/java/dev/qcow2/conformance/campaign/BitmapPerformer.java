package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.io.IOException;
import java.util.List;

/** Performs steps on bitmaps, and compares what bitmaps say. */
final class BitmapPerformer {

    private final Crew crew;
    private final DirtyModel model;

    BitmapPerformer(Crew crew, DirtyModel model) {
        this.crew = crew;
        this.model = model;
    }

    void perform(BitmapStep step) throws Objection, IOException {
        boolean adds = step.action() == BitmapStep.Action.ADD;
        boolean fits = adds != model.has(step.name());
        boolean other = !(step instanceof BitmapStep.Merge merge) || model.has(merge.from());
        if (!fits || !other) {
            return;
        }
        if (step.action() == BitmapStep.Action.ASK) {
            crew.mustSucceed(subject -> compare(subject.disk(), step.name(), Kind.WRONG_BITMAP, subject.name()));
        } else if (adds) {
            // Version 2 has no place for bitmaps, for instance.
            if (crew.allDo("bitmap add", subject -> send(subject.disk().bitmaps(), step))) {
                model.apply(step);
            }
        } else {
            crew.mustSucceed(subject -> send(subject.disk().bitmaps(), step));
            model.apply(step);
        }
    }

    private static void send(Bitmaps bitmaps, BitmapStep step) throws DiskException {
        switch (step.action()) {
            case ADD -> {
                BitmapStep.Add add = (BitmapStep.Add) step;
                bitmaps.add(add.name(), add.granularityBits(), add.enabled());
            }
            case REMOVE -> bitmaps.remove(step.name());
            case CLEAR -> bitmaps.clear(step.name());
            case ENABLE -> bitmaps.setEnabled(step.name(), true);
            case DISABLE -> bitmaps.setEnabled(step.name(), false);
            case MERGE -> bitmaps.merge(step.name(), ((BitmapStep.Merge) step).from());
            case ASK -> bitmaps.dirty(step.name());
        }
    }

    /** Compares all bitmaps of a disk that a subject, or somebody else, has opened. */
    void compareAll(VirtualDisk disk, Kind kind, String who) throws Objection, DiskException {
        for (String name : model.names()) {
            compare(disk, name, kind, who);
        }
    }

    private void compare(VirtualDisk disk, String name, Kind kind, String who) throws Objection, DiskException {
        List<BitmapInfo> found = disk.bitmaps().list().stream()
                .filter(info -> info.name().equals(name))
                .toList();
        BitmapInfo expected = new BitmapInfo(name, model.granularityBits(name), model.enabled(name), false);
        if (!found.equals(List.of(expected))) {
            throw new Objection(kind, who, "expected " + expected + ", found " + found);
        }
        List<Dirty> ranges = disk.bitmaps().dirty(name);
        if (!ranges.equals(model.dirty(name))) {
            throw new Objection(
                    kind,
                    who,
                    "bitmap " + name + " is dirty in " + ranges + ", expected is " + model.dirty(name) + " [QC-BM-19]");
        }
    }
}
