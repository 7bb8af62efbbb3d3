package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.MaintenanceStep.Commit;
import dev.qcow2.conformance.language.MaintenanceStep.Damage;
import dev.qcow2.conformance.language.MaintenanceStep.Rebase;
import dev.qcow2.conformance.language.MaintenanceStep.Repair;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Resize;
import dev.qcow2.conformance.language.VmStateStep;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import java.util.List;

/** Draws the steps that only images with certain features, or implementations with certain abilities, know. */
final class FeatureOperations {

    private static final long LONGEST_COMPRESSED = 1 << 19;
    private static final List<String> BITMAPS = List.of("b0", "b1", "b2");
    private static final int FIRST_FILL = 1 << 12;
    private static final int SECTOR = 512;
    private static final int SMALLEST_CLUSTER_BITS = 9;

    private final Dice dice;
    private final Abilities abilities;
    private final int clusterBits;
    private final long cluster;
    private final int layers;
    private final long firstSize;
    private long size;
    private int nextFill = FIRST_FILL;

    FeatureOperations(Dice dice, Abilities abilities, long size, int clusterBits, int layers) {
        this.dice = dice;
        this.abilities = abilities;
        this.clusterBits = clusterBits;
        this.cluster = 1L << clusterBits;
        this.layers = layers;
        this.firstSize = size;
        this.size = size;
    }

    /** Returns the disk's length, if no resize was refused and no snapshot of another length was loaded. */
    long size() {
        return size;
    }

    private int[] weights() {
        return new int[] {
            weight(Feature.COMPRESSED, 14),
            weight(Feature.RESIZE, 5),
            weight(Feature.VM_STATE, 6),
            // In the smallest cluster a header with a feature name table has no room for one more extension.
            clusterBits > SMALLEST_CLUSTER_BITS ? weight(Feature.BITMAPS, 14) : 0,
            weight(Feature.REPAIR, 4),
            weight(Feature.COMMIT, 3),
            weight(Feature.REBASE, 3),
            weight(Feature.AMEND, 5)
        };
    }

    private int weight(Feature feature, int share) {
        return abilities.has(feature) ? share : 0;
    }

    /** Returns how often such a step is drawn, in the measure of the other operations. */
    int weight() {
        int sum = 0;
        for (int weight : weights()) {
            sum += weight;
        }
        return sum;
    }

    /** Returns how much machine state the next snapshot has. */
    long vmStateSize() {
        return abilities.has(Feature.VM_STATE) && dice.percent(70) ? dice.between(0, 3 * cluster) : 0;
    }

    Operation next(List<Long> places) {
        return switch (dice.weighted(weights())) {
            case 0 -> compressed(dice.pick(places) * cluster);
            case 1 -> resize();
            case 2 -> vmState();
            case 3 -> bitmap();
            case 4 -> repair();
            case 5 -> new Commit();
            case 6 -> rebase();
            default -> amend();
        };
    }

    private Operation compressed(long place) {
        long start = Math.min(place, Math.max(0, size - 1) / cluster * cluster);
        long most = Math.max(1, Math.min(LONGEST_COMPRESSED, size) / cluster);
        long count = dice.percent(60) ? 1 : dice.between(1, Math.min(6, most));
        long end = Math.min(size, start + count * cluster);
        int fill = Fill.clip(dice.percent(80) ? nextFill++ : Fill.FIRST_NOISE + nextFill++);
        if (dice.percent(4)) {
            // Not of whole clusters, most of them: to be refused.
            return new WriteCompressed(start + dice.below(cluster), dice.below(cluster), fill);
        }
        return new WriteCompressed(start, end - start, fill);
    }

    private Operation resize() {
        long longest = firstSize + 6 * cluster;
        long wanted =
                switch (dice.weighted(25, 25, 20, 20, 8, 2)) {
                    case 0 -> size + dice.between(1, 3 * cluster);
                    case 1 -> size - dice.between(1, 3 * cluster);
                    case 2 -> size / cluster * cluster + dice.below(3) * cluster;
                    case 3 -> dice.below(longest + 1);
                    // More than the L1 table has room for, if clusters are small.
                    case 4 -> size + cluster * cluster / 8 + dice.below(cluster);
                    default -> 0;
                };
        long bounded = Math.max(0, Math.min(wanted, Math.max(longest, 4 << 20)));
        long aligned = abilities.qemu() || dice.percent(40) ? bounded / SECTOR * SECTOR : bounded;
        boolean grows = aligned > size;
        size = aligned;
        boolean preallocates = grows && abilities.has(Feature.PREALLOCATION);
        return new Resize(aligned, preallocates ? dice.pick(List.of(Preallocation.values())) : Preallocation.OFF);
    }

    private Operation vmState() {
        long offset = dice.percent(40) ? 0 : dice.below(3 * cluster);
        long length = dice.below(Math.min(2 * cluster, 1 << 18));
        return dice.percent(65)
                ? new VmStateStep.Write(offset, length, Fill.clip(nextFill++))
                : new VmStateStep.Read(offset, length);
    }

    private Operation bitmap() {
        String name = dice.pick(BITMAPS);
        return switch (dice.weighted(30, 6, 8, 7, 9, 32, 8)) {
            case 0 -> new BitmapStep.Add(name, (int) dice.between(9, clusterBits + 3L), dice.percent(80));
            case 1 -> new BitmapStep.Simple(BitmapStep.Action.REMOVE, name);
            case 2 -> new BitmapStep.Simple(BitmapStep.Action.CLEAR, name);
            case 3 -> new BitmapStep.Simple(BitmapStep.Action.ENABLE, name);
            case 4 -> new BitmapStep.Simple(BitmapStep.Action.DISABLE, name);
            case 5 -> new BitmapStep.Simple(BitmapStep.Action.ASK, name);
            default -> new BitmapStep.Merge(name, dice.pick(BITMAPS));
        };
    }

    private Operation repair() {
        RepairMode mode = dice.pick(List.of(RepairMode.values()));
        return new Repair(mode, dice.percent(30) ? Damage.NONE : dice.pick(List.of(Damage.values())));
    }

    private Operation rebase() {
        int layer = (int) dice.below(Math.max(1, layers));
        return new Rebase(dice.percent(80) ? RebaseMode.SAFE : RebaseMode.UNSAFE, layer);
    }

    /** Says whether the image is to become version 2 on a way of its own. */
    boolean becomesOld() {
        return abilities.has(Feature.AMEND) && dice.percent(60);
    }

    /** Returns the change of version, most often together with the width that any version has. */
    Operation amendTo(int version) {
        AmendOptions changes = AmendOptions.NOTHING.withVersion(version);
        return new Amend(dice.percent(80) ? changes.withRefcountOrder(4) : changes);
    }

    private Operation amend() {
        AmendOptions changes =
                switch (dice.weighted(35, 45, 20)) {
                    case 0 -> AmendOptions.NOTHING.withVersion((int) dice.between(2, 3));
                    case 1 -> AmendOptions.NOTHING.withRefcountOrder((int) dice.between(0, 6));
                    default -> AmendOptions.NOTHING.withLazyRefcounts(dice.percent(50));
                };
        return new Amend(changes);
    }
}
