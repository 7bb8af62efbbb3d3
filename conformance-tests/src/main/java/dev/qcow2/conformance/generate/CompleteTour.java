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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Twelve tours on which every transition is met, not by chance but by construction: for each state of a cluster over each
 * kind of backing bytes and each request there is a cluster that nothing else touches before.
 */
final class CompleteTour {

    /** Version 3, subclusters or version 2; shared or not; with a backing file or without. */
    static final int TOURS = 12;

    private static final int KINDS = 3;
    private static final int REQUESTS = 11;
    private static final int COMPRESSED_REQUEST = 10;
    private static final int SUBCLUSTERS = 32;
    private static final int FIRST_FILL = 1 << 17;
    private static final int RAW_UNIT = 512;

    /** Streams of our patterns that find room in one host cluster, and one more. */
    private static final int PACKED_TOGETHER = 6;

    /** A request that waits for its cluster. */
    private record Cell(long cluster, int request) {}

    private final Dice dice;
    private final Abilities abilities;
    private final boolean subclusters;
    private final boolean old;
    private final boolean shares;
    private final boolean backed;
    private final int clusterBits;
    private final List<Run> runs = new ArrayList<>();
    private final List<Cell> cells = new ArrayList<>();
    private final List<Operation> steps = new ArrayList<>();
    private long clusters;
    private int nextFill = 1;

    CompleteTour(int number, Dice dice, Abilities abilities) {
        this.dice = dice;
        this.abilities = abilities;
        this.subclusters = number % KINDS == 1;
        this.old = number % KINDS == 2;
        this.shares = number / KINDS % 2 == 1;
        this.backed = number / KINDS / 2 % 2 == 1;
        // Small, for after each step all is read and judged.
        this.clusterBits = subclusters ? 14 : 9;
    }

    /** Whether everybody knows what it takes. */
    boolean isPossible() {
        return (!subclusters || abilities.has(Feature.SUBCLUSTERS)) && (!shares || abilities.has(Feature.SNAPSHOTS));
    }

    Script script() {
        addCells();
        List<Layer> layers = new ArrayList<>();
        if (backed) {
            long data = clusters << clusterBits;
            addCells();
            long covered = clusters << clusterBits;
            addCells();
            // Bytes, then a hole, and then no backing file any more.
            Run filled = new Run(ClusterState.NORMAL, 0, data / RAW_UNIT, false, 2 * FIRST_FILL);
            layers.add(Layer.raw(covered, List.of(filled)));
        }
        layers.add(0, top());
        walk();
        return new Script(Optional.empty(), layers, !dice.percent(20), Rigour.EACH, abilities.qemu(), List.of(), steps);
    }

    private Layer top() {
        // Without sharing, counts of one bit keep compressed clusters apart as well. Version 2 has no such counts.
        int order = old ? 4 : shares ? 5 : 0;
        return Layer.qcow2(clusters << clusterBits, old ? 2 : 3, clusterBits, order)
                .withFeatures(subclusters ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN)
                .withTraits(new Traits(Maker.KIT, shares ? Sharing.TABLES : Sharing.NONE, false, true))
                .withContent(runs);
    }

    private boolean exists(ClusterState state) {
        return switch (state) {
            case UNALLOCATED, NORMAL -> true;
            case ZERO_PLAIN, ZERO_ALLOCATED -> !old;
            case COMPRESSED -> abilities.has(Feature.COMPRESSED);
            case RESERVED -> subclusters;
            case MIXED, MIXED_PLAIN -> false;
        };
    }

    private void addCells() {
        for (ClusterState state : ClusterState.values()) {
            for (int request = 0; exists(state) && request < REQUESTS; request++) {
                if (request != COMPRESSED_REQUEST || abilities.has(Feature.COMPRESSED)) {
                    addCell(state, request);
                }
            }
        }
    }

    private void addCell(ClusterState state, int request) {
        cells.add(new Cell(clusters, request));
        boolean packed = state == ClusterState.COMPRESSED && old && !shares;
        int count = packed ? PACKED_TOGETHER : 1;
        if (state != ClusterState.UNALLOCATED) {
            runs.add(new Run(state, clusters, count, true, FIRST_FILL + (int) clusters));
        }
        if (packed) {
            // The others in its host cluster go first, so that the one is alone there.
            long cluster = 1L << clusterBits;
            steps.add(new Write((clusters + 1) * cluster, (count - 1) * cluster, nextFill++));
        }
        clusters += count;
    }

    /** One request in each L2 table; then, if clusters are to be shared, a snapshot shares all tables again. */
    private void walk() {
        long perTable = 1L << (clusterBits - (subclusters ? 4 : 3));
        Map<Long, Deque<Cell>> tables = new TreeMap<>();
        while (!cells.isEmpty()) {
            Cell cell = cells.remove((int) dice.below(cells.size()));
            tables.computeIfAbsent(cell.cluster() / perTable, table -> new ArrayDeque<>())
                    .add(cell);
        }
        for (int snapshot = 0; !tables.isEmpty(); snapshot++) {
            if (shares) {
                steps.add(new SnapshotCreate("t" + snapshot));
                steps.add(new SnapshotDelete("t" + (snapshot - 1)));
            }
            tables.values().forEach(table -> steps.add(step(table.remove())));
            tables.values().removeIf(Deque::isEmpty);
        }
    }

    private Operation step(Cell cell) {
        long cluster = 1L << clusterBits;
        long start = cell.cluster() * cluster;
        long unit = subclusters ? cluster / SUBCLUSTERS : cluster;
        long from = start + (subclusters ? dice.below(SUBCLUSTERS) * unit : 0);
        int fill = Fill.clip(nextFill++);
        return switch (cell.request()) {
            case 0 -> new Write(from, unit, fill);
            case 1 -> new Write(from, unit / 3, fill);
            case 2 -> new Write(from + unit / 3, unit - unit / 3, fill);
            case 3 -> new Write(from + unit / 3, unit / 3, fill);
            case 4 -> new WriteZeroes(from, unit, ZeroMode.KEEP_ALLOCATION);
            case 5 -> new WriteZeroes(from + unit / 3, unit / 3, ZeroMode.KEEP_ALLOCATION);
            case 6 -> new WriteZeroes(from, unit, ZeroMode.MAY_UNMAP);
            case 7 -> new WriteZeroes(from + unit / 3, unit / 3, ZeroMode.MAY_UNMAP);
            case 8 -> new Discard(start, cluster);
            case 9 -> new Discard(from + 1, unit - 1);
            default -> new WriteCompressed(start, cluster, fill);
        };
    }
}
