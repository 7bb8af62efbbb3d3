package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.conformance.language.Layer.Traits;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.DataFile;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import java.util.ArrayList;
import java.util.List;

/**
 * Draws chains: geometries, and the state of each cluster before the first operation.
 *
 * <p>Small clusters are the most frequent: their tables are short, so that a small disk has several
 * L2 tables and refcount blocks, and all boundaries are near.
 */
final class ChainGenerator {

    private static final int[] CLUSTER_BITS = {9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
    private static final int[] CLUSTER_WEIGHTS = {440, 120, 60, 130, 40, 30, 20, 90, 5, 3, 2, 3, 3};
    private static final int[] REFCOUNT_WEIGHTS = {8, 6, 6, 10, 40, 12, 18};
    private static final int[] BACKING_WEIGHTS = {30, 36, 16, 8, 6, 4};
    private static final List<ClusterState> STATES = List.of(ClusterState.values());
    private static final List<Sharing> SHARINGS = List.of(Sharing.values());
    /** Fills of layers start here, so that they differ from those of writes. */
    private static final int FIRST_FILL = 1 << 16;

    private final Dice dice;
    private final Abilities abilities;
    private final boolean sectors;
    private int nextFill = FIRST_FILL;

    /**
     * Makes a generator.
     *
     * @param dice of the sequence
     * @param abilities what the sequence uses; if QEMU takes part sizes are multiples of 512
     */
    ChainGenerator(Dice dice, Abilities abilities) {
        this.dice = dice;
        this.abilities = abilities;
        this.sectors = abilities.qemu();
    }

    List<Layer> chain() {
        List<Layer> layers = new ArrayList<>();
        layers.add(top());
        int backingFiles = standsAlone(layers.get(0)) ? 0 : dice.weighted(BACKING_WEIGHTS);
        for (int i = 1; i <= backingFiles; i++) {
            layers.add(backing(layers.get(0), i == backingFiles));
        }
        return layers;
    }

    /** A raw data file, and preallocated zeros, leave nothing to a backing file. */
    private static boolean standsAlone(Layer layer) {
        FormatFeatures features = layer.features();
        boolean rawFile = features.dataFile().filter(DataFile::raw).isPresent();
        return rawFile || features.preallocation() != Preallocation.OFF;
    }

    private Layer top() {
        FeatureLayers special = new FeatureLayers(dice, abilities);
        if (special.any()) {
            return filled(special.top());
        }
        if (dice.percent(2)) {
            return nearlyFull();
        }
        int clusterBits = CLUSTER_BITS[dice.weighted(CLUSTER_WEIGHTS)];
        int version = dice.percent(25) ? 2 : 3;
        int refcountOrder = version == 2 ? 4 : dice.weighted(REFCOUNT_WEIGHTS);
        Layer plain = Layer.qcow2(topSize(clusterBits, refcountOrder), version, clusterBits, refcountOrder);
        if (dice.percent(35)) {
            return plain;
        }
        Sharing sharing = SHARINGS.get(dice.weighted(36, 40, 24));
        // QC-REF-11: a count of one bit can't say that two refer to the cluster.
        Sharing possible = refcountOrder == 0 ? Sharing.NONE : sharing;
        boolean shortL1 = !sectors && dice.percent(10);
        return withStates(plain.withTraits(new Traits(Maker.KIT, possible, shortL1, true)));
    }

    /** Most images of features that the kit can make are made by it, with clusters in all states. */
    private Layer filled(Layer layer) {
        FormatFeatures features = layer.features();
        boolean driverOnly = features.encryption().isPresent() || features.preallocation() != Preallocation.OFF;
        if (driverOnly || dice.percent(30)) {
            return layer;
        }
        boolean snapshot = abilities.has(Feature.SNAPSHOTS)
                && layer.refcountOrder() > 0
                && features.dataFile().isEmpty();
        Sharing sharing = snapshot ? SHARINGS.get(dice.weighted(36, 40, 24)) : Sharing.NONE;
        return withStates(layer.withTraits(new Traits(Maker.KIT, sharing, false, true)));
    }

    /**
     * An image whose refcount table has one cluster, 64 entries for 64 counts each, and few of them
     * left, about ten: it has to grow soon, which a sequence on an empty image hardly ever reaches.
     */
    private Layer nearlyFull() {
        long used = dice.between(3891, 3899);
        long size = (used + dice.between(1, 5)) * 512;
        // Shared clusters: writes anywhere allocate, and the snapshot's own tables fill the table further.
        return Layer.qcow2(size, 3, 9, 6)
                .withTraits(new Traits(Maker.KIT, Sharing.CLUSTERS, false, true))
                .withContent(List.of(new Run(ClusterState.NORMAL, 0, used, true, nextFill++)));
    }

    private long topSize(int clusterBits, int refcountOrder) {
        long cluster = 1L << clusterBits;
        if (clusterBits == 9 && refcountOrder == 6 && dice.percent(8)) {
            // 64 counts a block, 64 blocks a table: a disk that makes the refcount table grow.
            return between(1800L << 10, 2500L << 10, cluster);
        }
        long table = cluster / 8;
        long most = clusterBits <= 10 ? 3 * table : clusterBits <= 16 ? 40 : 6;
        return dice.percent(2)
                ? aligned(dice.between(1, cluster), cluster)
                : between(cluster, dice.between(2, most) * cluster, cluster);
    }

    private long between(long least, long most, long cluster) {
        return aligned(dice.between(least, most), cluster);
    }

    /** Ends at a cluster, at a sector, or anywhere. */
    private long aligned(long size, long cluster) {
        int kind = dice.weighted(30, 30, 40);
        long unit = kind == 0 ? cluster : kind == 1 || sectors ? 512 : 1;
        return Math.max(unit, size / unit * unit);
    }

    private Layer backing(Layer top, boolean last) {
        long cluster = top.clusterSize();
        int kind = dice.weighted(55, 25, 20);
        long size = kind == 0
                ? aligned(dice.between(1, top.size()), 512)
                : kind == 1 ? top.size() : aligned(top.size() + dice.between(1, 3 * cluster), 512);
        boolean formatNamed = dice.percent(75);
        if (last && dice.percent(45)) {
            Layer raw = Layer.raw(size, List.of()).withTraits(new Traits(Maker.KIT, Sharing.NONE, false, formatNamed));
            return withStates(raw);
        }
        int clusterBits = dice.percent(50) ? top.clusterBits() : CLUSTER_BITS[dice.weighted(CLUSTER_WEIGHTS)];
        int version = dice.percent(25) ? 2 : 3;
        int refcountOrder = version == 2 ? 4 : dice.weighted(REFCOUNT_WEIGHTS);
        boolean shortL1 = !sectors && dice.percent(5);
        Layer plain = Layer.qcow2(size, version, clusterBits, refcountOrder);
        boolean subclusters = version == 3 && clusterBits >= 14 && abilities.has(Feature.SUBCLUSTERS);
        Layer layer =
                subclusters && dice.percent(70) ? plain.withFeatures(FormatFeatures.PLAIN.withExtendedL2()) : plain;
        return withStates(layer.withTraits(new Traits(Maker.KIT, Sharing.NONE, shortL1, formatNamed)));
    }

    /** Gives each cluster a state, in runs; one layer in five is full of one state. */
    private Layer withStates(Layer layer) {
        List<Run> runs = new ArrayList<>();
        boolean uniform = dice.percent(20);
        ClusterState only = state(layer);
        long mean = Math.max(1, layer.clusters() / dice.between(4, 24));
        for (long at = 0; at < layer.clusters(); ) {
            long count = Math.min(uniform ? layer.clusters() : dice.between(1, 2 * mean), layer.clusters() - at);
            ClusterState state = uniform ? only : state(layer);
            if (state != ClusterState.UNALLOCATED) {
                runs.add(new Run(state, at, count, dice.percent(60), nextFill++));
            }
            at += count;
        }
        return layer.withContent(runs);
    }

    private ClusterState state(Layer layer) {
        if (layer.format() == Layer.Format.RAW) {
            return dice.percent(50) ? ClusterState.NORMAL : ClusterState.UNALLOCATED;
        }
        // QC-L2-08: version 2 has no zero clusters.
        int zeros = layer.version() == 3 ? 24 : 0;
        boolean compressible =
                abilities.has(Feature.COMPRESSED) && layer.features().dataFile().isEmpty();
        int packed = compressible ? 24 : 0;
        int mixed = layer.features().extendedL2() ? 20 : 0;
        return STATES.get(dice.weighted(28, zeros, zeros, 25, packed, mixed / 2, mixed, 2 * mixed));
    }
}
