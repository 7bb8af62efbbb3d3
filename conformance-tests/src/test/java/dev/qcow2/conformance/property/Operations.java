package dev.qcow2.conformance.property;

import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.conformance.language.BitmapStep.Action;
import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.MaintenanceStep.Commit;
import dev.qcow2.conformance.language.MaintenanceStep.Damage;
import dev.qcow2.conformance.language.MaintenanceStep.Rebase;
import dev.qcow2.conformance.language.MaintenanceStep.Repair;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Change;
import dev.qcow2.conformance.language.Operation.Discard;
import dev.qcow2.conformance.language.Operation.Exchange;
import dev.qcow2.conformance.language.Operation.Flush;
import dev.qcow2.conformance.language.Operation.Qemu;
import dev.qcow2.conformance.language.Operation.Read;
import dev.qcow2.conformance.language.Operation.Reopen;
import dev.qcow2.conformance.language.Operation.SnapshotApply;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Operation.SnapshotDelete;
import dev.qcow2.conformance.language.Operation.Status;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.conformance.language.Resize;
import dev.qcow2.conformance.language.VmStateStep;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Operations as jqwik draws and shrinks them. */
final class Operations {

    private Operations() {}

    /** Any operation of the language, with any numbers that it permits. */
    static Arbitrary<Operation> any() {
        Arbitrary<Long> offsets = Arbitraries.longs();
        Arbitrary<Long> lengths = Arbitraries.longs().between(0, 1 << 26);
        Arbitrary<String> names =
                Arbitraries.strings().withCharRange('a', 'z').ofMinLength(1).ofMaxLength(9);
        return Arbitraries.oneOf(
                changes(offsets, lengths).map(change -> change),
                Combinators.combine(offsets, lengths).as(Read::new),
                Combinators.combine(offsets, lengths).as(Status::new),
                Arbitraries.oneOf(changes(offsets, lengths), bitmaps(names), maintenance())
                        .filter(Qemu::canDo)
                        .map(Qemu::new),
                Combinators.combine(names, lengths).as(SnapshotCreate::new),
                bitmaps(names),
                maintenance(),
                Combinators.combine(lengths, Arbitraries.of(Preallocation.values()))
                        .as(Resize::new),
                Combinators.combine(offsets, lengths).as(VmStateStep.Read::new),
                Combinators.combine(offsets, lengths, fills()).as(VmStateStep.Write::new),
                Combinators.combine(offsets, lengths, fills()).as(WriteCompressed::new),
                names.map(SnapshotApply::new),
                names.map(SnapshotDelete::new),
                Arbitraries.of(new Flush(), new Reopen(), new Exchange()));
    }

    private static Arbitrary<Integer> fills() {
        return Arbitraries.integers().between(0, (1 << 21) - 1);
    }

    private static Arbitrary<Operation> bitmaps(Arbitrary<String> names) {
        Arbitrary<Integer> granularities = Arbitraries.integers().between(9, 31);
        Arbitrary<Action> simple =
                Arbitraries.of(Action.REMOVE, Action.CLEAR, Action.ENABLE, Action.DISABLE, Action.ASK);
        return Arbitraries.oneOf(
                Combinators.combine(names, granularities, Arbitraries.of(true, false))
                        .as(BitmapStep.Add::new),
                Combinators.combine(simple, names).as(BitmapStep.Simple::new),
                Combinators.combine(names, names).as(BitmapStep.Merge::new));
    }

    private static Arbitrary<Operation> maintenance() {
        return Arbitraries.oneOf(
                Combinators.combine(Arbitraries.of(RepairMode.values()), Arbitraries.of(Damage.values()))
                        .as(Repair::new),
                Combinators.combine(
                                Arbitraries.of(RebaseMode.values()),
                                Arbitraries.integers().between(0, 9))
                        .as(Rebase::new),
                Combinators.combine(
                                Arbitraries.of(2, 3).optional(),
                                Arbitraries.integers().between(0, 6).optional(),
                                Arbitraries.of(true, false).optional())
                        .as(AmendOptions::new)
                        .filter(changes -> !changes.equals(AmendOptions.NOTHING))
                        .map(Amend::new),
                Arbitraries.just(new Commit()));
    }

    /** Operations on a disk, most of them inside it and near the boundaries of its clusters. */
    static Arbitrary<Operation> onDisk(long size, int clusterSize) {
        Arbitrary<Long> boundaries = Arbitraries.longs()
                .between(0, size / clusterSize)
                .map(cluster -> Math.min(size, cluster * clusterSize));
        Arbitrary<Long> offsets =
                Arbitraries.oneOf(boundaries, Arbitraries.longs().between(0, size));
        Arbitrary<Long> lengths = Arbitraries.oneOf(
                Arbitraries.longs().between(0, 4).map(count -> count * clusterSize),
                Arbitraries.longs().between(0, 3L * clusterSize));
        return Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(10, changes(offsets, lengths).map(change -> inside(change, size))),
                net.jqwik.api.Tuple.of(1, Combinators.combine(offsets, lengths).as(Read::new)),
                net.jqwik.api.Tuple.of(1, Combinators.combine(offsets, lengths).as(Status::new)),
                net.jqwik.api.Tuple.of(2, Arbitraries.of(new Flush(), new Reopen(), new Exchange())));
    }

    private static Operation inside(Change change, long size) {
        return change.withRange(change.offset(), Math.min(change.length(), size - change.offset()));
    }

    private static Arbitrary<Change> changes(Arbitrary<Long> offsets, Arbitrary<Long> lengths) {
        return Arbitraries.oneOf(
                Combinators.combine(offsets, lengths, fills()).as(Write::new),
                Combinators.combine(offsets, lengths, Arbitraries.of(ZeroMode.class))
                        .as(WriteZeroes::new),
                Combinators.combine(offsets, lengths).as(Discard::new));
    }
}
