package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.conformance.language.Layer.Traits;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Discard;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Operation.SnapshotDelete;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Draws tours: an image with clusters in every state over every kind of backing bytes, and requests that go from cluster to cluster.
 * Chance alone would seldom meet a reserved subcluster behind the end of a backing file, or the like.
 */
final class TourGenerator {

    private static final int CLUSTERS = 64;
    private static final int STEPS = 40;
    private static final int SUBCLUSTERS = 32;
    private static final int FIRST_FILL = 1 << 17;

    private final Dice dice;
    private final Abilities abilities;
    private final boolean subclusters;
    private final boolean old;
    private final int clusterBits;
    private final boolean shares;
    private int nextFill = 1;

    TourGenerator(Dice dice, Abilities abilities) {
        this.dice = dice;
        this.abilities = abilities;
        this.subclusters = abilities.has(Feature.SUBCLUSTERS) && dice.percent(50);
        this.old = !subclusters && dice.percent(35);
        this.clusterBits = subclusters ? 14 : (int) dice.between(9, 11);
        this.shares = abilities.has(Feature.SNAPSHOTS) && dice.percent(55);
    }

    Script script() {
        List<Layer> layers = new ArrayList<>(List.of(top()));
        if (dice.percent(75)) {
            layers.add(below(layers.get(0)));
        }
        return new Script(
                Optional.empty(), layers, !dice.percent(20), Rigour.EACH, abilities.qemu(), List.of(), steps());
    }

    private Layer top() {
        long size = (long) CLUSTERS << clusterBits;
        Layer plain = Layer.qcow2(size, old ? 2 : 3, clusterBits, old ? 4 : (int) dice.between(4, 6))
                .withFeatures(subclusters ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN);
        List<Run> runs = new ArrayList<>();
        for (int i = 0; i < CLUSTERS; i++) {
            ClusterState state = state();
            if (state != ClusterState.UNALLOCATED) {
                runs.add(new Run(state, i, 1, true, FIRST_FILL + i));
            }
        }
        Sharing sharing = shares ? dice.pick(List.of(Sharing.TABLES, Sharing.CLUSTERS)) : Sharing.NONE;
        return plain.withTraits(new Traits(Maker.KIT, sharing, false, true)).withContent(runs);
    }

    private ClusterState state() {
        int zero = old ? 0 : 1;
        int packed = abilities.has(Feature.COMPRESSED) ? 1 : 0;
        int mixed = subclusters ? 1 : 0;
        return List.of(ClusterState.values()).get(dice.weighted(1, zero, zero, 1, 2 * packed, mixed, mixed, 2 * mixed));
    }

    /** A third is data, a third is holes, and what is behind is missing. */
    private Layer below(Layer top) {
        int unit = 512;
        long size = top.size() / 4 * 3;
        List<Run> runs = new ArrayList<>();
        long cluster = top.clusterSize() / unit;
        for (long at = 0; at < size / unit; at += cluster) {
            if (dice.percent(50)) {
                runs.add(new Run(
                        ClusterState.NORMAL,
                        at,
                        Math.min(cluster, size / unit - at),
                        false,
                        2 * FIRST_FILL + (int) at));
            }
        }
        return Layer.raw(size, runs);
    }

    private List<Operation> steps() {
        List<Operation> steps = new ArrayList<>();
        int snapshots = 0;
        for (int i = 0; i < STEPS; i++) {
            if (shares && i % 4 == 3) {
                // The tables of the image are shared once more, and those clusters too that were written meanwhile.
                steps.add(new SnapshotCreate("t" + snapshots++));
                steps.add(new SnapshotDelete("t" + (snapshots - 3)));
            }
            steps.add(step());
        }
        return steps;
    }

    private Operation step() {
        long cluster = 1L << clusterBits;
        long start = dice.below(CLUSTERS) * cluster;
        long unit = subclusters ? cluster / SUBCLUSTERS : cluster;
        long from = start + (subclusters ? dice.below(SUBCLUSTERS) * unit : 0);
        int fill = Fill.clip(nextFill++);
        if (abilities.has(Feature.COMPRESSED) && dice.percent(9)) {
            return new WriteCompressed(start, cluster, fill);
        }
        return switch (dice.weighted(2, 2, 2, 2, 2, 2, 2, 2, 2, 2)) {
            case 0 -> new Write(from, unit, fill);
            case 1 -> new Write(from, unit / 3, fill);
            case 2 -> new Write(from + unit / 3, unit - unit / 3, fill);
            case 3 -> new Write(from + unit / 3, unit / 3, fill);
            case 4 -> new WriteZeroes(from, unit, ZeroMode.KEEP_ALLOCATION);
            case 5 -> new WriteZeroes(from + unit / 3, unit / 3, ZeroMode.KEEP_ALLOCATION);
            case 6 -> new WriteZeroes(from, unit, ZeroMode.MAY_UNMAP);
            case 7 -> new WriteZeroes(from + unit / 3, unit / 3, ZeroMode.MAY_UNMAP);
            case 8 -> new Discard(start, cluster);
            default -> new Discard(from + 1, unit - 1);
        };
    }
}
