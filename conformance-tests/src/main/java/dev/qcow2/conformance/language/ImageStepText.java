package dev.qcow2.conformance.language;

import dev.qcow2.conformance.language.BitmapStep.Action;
import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.MaintenanceStep.Commit;
import dev.qcow2.conformance.language.MaintenanceStep.Damage;
import dev.qcow2.conformance.language.MaintenanceStep.Rebase;
import dev.qcow2.conformance.language.MaintenanceStep.Repair;
import dev.qcow2.conformance.language.Operation.Kind;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import java.util.List;

/** The text form of the steps that change the image rather than its bytes; see {@link OperationText}. */
final class ImageStepText {

    private static final int LEAST_GRANULARITY = 9;
    private static final int MOST_GRANULARITY = 31;
    private static final int MOST_REFCOUNT_ORDER = 6;

    private ImageStepText() {}

    static Operation parse(Kind kind, Words words) throws ScriptException {
        return switch (kind) {
            case RESIZE -> new Resize(size(words), FeatureText.constant(words, List.of(Preallocation.values())));
            case VM_STATE -> vmState(words);
            case BITMAP -> bitmap(words);
            case REPAIR -> new Repair(FeatureText.constant(words, List.of(RepairMode.values())), damage(words));
            case COMMIT -> new Commit();
            case REBASE ->
                new Rebase(
                        FeatureText.constant(words, List.of(RebaseMode.values())),
                        words.integer("the index of a layer"));
            case AMEND -> new Amend(changes(words));
            case READ, WRITE, WRITE_COMPRESSED, WRITE_ZEROES, DISCARD, STATUS, FLUSH, REOPEN, EXCHANGE ->
                throw new IllegalArgumentException("not a step on the image: " + kind);
            case SNAPSHOT_CREATE, SNAPSHOT_APPLY, SNAPSHOT_DELETE, QEMU ->
                throw new IllegalArgumentException("not a step on the image: " + kind);
        };
    }

    private static long size(Words words) throws ScriptException {
        long size = words.number("a size");
        if (size < 0) {
            throw words.error("a size of 0 or more", Long.toString(size));
        }
        return size;
    }

    private static VmStateStep vmState(Words words) throws ScriptException {
        boolean read = words.choice("read", "write").equals("read");
        long offset = words.number("an offset");
        long length = OperationText.transfer(words);
        return read
                ? new VmStateStep.Read(offset, length)
                : new VmStateStep.Write(offset, length, words.integer("a fill"));
    }

    private static BitmapStep bitmap(Words words) throws ScriptException {
        Action action = FeatureText.constant(words, List.of(Action.values()));
        String name = words.next("a name");
        return switch (action) {
            case ADD ->
                new BitmapStep.Add(
                        name,
                        words.logarithm(LEAST_GRANULARITY, MOST_GRANULARITY),
                        words.choice("enabled", "disabled").equals("enabled"));
            case MERGE -> new BitmapStep.Merge(name, words.next("a name"));
            case REMOVE, CLEAR, ENABLE, DISABLE, ASK -> new BitmapStep.Simple(action, name);
        };
    }

    private static Damage damage(Words words) throws ScriptException {
        return words.hasNext() ? FeatureText.constant(words, List.of(Damage.values())) : Damage.NONE;
    }

    private static AmendOptions changes(Words words) throws ScriptException {
        AmendOptions changes = AmendOptions.NOTHING;
        do {
            changes = changed(changes, words);
        } while (words.hasNext());
        return changes;
    }

    private static AmendOptions changed(AmendOptions changes, Words words) throws ScriptException {
        return switch (words.choice("version", "refcount", "lazy-refcounts")) {
            case "version" -> changes.withVersion(Integer.parseInt(words.choice("2", "3")));
            case "refcount" -> changes.withRefcountOrder(words.logarithm(0, MOST_REFCOUNT_ORDER));
            default -> changes.withLazyRefcounts(words.choice("on", "off").equals("on"));
        };
    }

    static String write(Resize step) {
        return "resize " + step.size() + " " + FeatureText.word(step.preallocation());
    }

    static String write(VmStateStep step) {
        String range = step.offset() + " " + step.length();
        return step instanceof VmStateStep.Write write
                ? "vm-state write " + range + " " + write.fill()
                : "vm-state read " + range;
    }

    static String write(BitmapStep step) {
        String start = "bitmap " + FeatureText.word(step.action()) + " " + step.name();
        if (step instanceof BitmapStep.Add add) {
            return start + " " + (1L << add.granularityBits()) + (add.enabled() ? " enabled" : " disabled");
        }
        return step instanceof BitmapStep.Merge merge ? start + " " + merge.from() : start;
    }

    static String write(MaintenanceStep step) {
        String word = step.kind().word();
        if (step instanceof Repair repair) {
            String broken = repair.damage() == Damage.NONE ? "" : " " + FeatureText.word(repair.damage());
            return word + " " + FeatureText.word(repair.mode()) + broken;
        }
        if (step instanceof Rebase rebase) {
            return word + " " + FeatureText.word(rebase.mode()) + " " + rebase.layer();
        }
        return step instanceof Amend amend ? word + write(amend.changes()) : word;
    }

    private static String write(AmendOptions changes) {
        StringBuilder text = new StringBuilder();
        changes.version().ifPresent(version -> text.append(" version ").append(version));
        changes.refcountOrder().ifPresent(order -> text.append(" refcount ").append(1 << order));
        changes.lazyRefcounts()
                .ifPresent(lazy -> text.append(" lazy-refcounts ").append(lazy ? "on" : "off"));
        return text.toString();
    }
}
