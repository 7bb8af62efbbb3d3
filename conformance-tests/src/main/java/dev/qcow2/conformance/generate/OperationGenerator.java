package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.image.ImageBuilder;
import dev.qcow2.conformance.language.Fill;
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
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.util.ArrayList;
import java.util.List;

/**
 * Draws operations on a disk. A sequence has a few places that it comes back to, so that one cluster
 * goes through many states; they lie at boundaries of clusters, L2 tables, runs, backing files and
 * the disk itself.
 */
final class OperationGenerator {

    private static final long LONGEST_TRANSFER = 1 << 20;
    private static final long LONGEST_ZERO = 16 << 20;
    private static final int MOST_SNAPSHOTS = 2;

    private final Dice dice;
    private final long cluster;
    private final List<Long> places;
    private final boolean snapshots;
    private final boolean qemu;
    private final FeatureOperations special;
    private int nextFill = 1;
    private int snapshotCount;

    /**
     * Makes a generator.
     *
     * @param dice of the sequence
     * @param size bytes of the disk
     * @param clusterBits of the disk's own image
     * @param layers how many images the chain has; 0 if that is not known
     * @param interesting guest offsets near which something changes
     * @param abilities what the implementations and the machine can do
     */
    OperationGenerator(Dice dice, long size, int clusterBits, int layers, List<Long> interesting, Abilities abilities) {
        this.dice = dice;
        this.cluster = 1L << clusterBits;
        this.snapshots = abilities.has(Feature.SNAPSHOTS);
        this.qemu = abilities.qemu();
        this.places = places(interesting, size);
        this.special = new FeatureOperations(dice, abilities, size, clusterBits, layers);
    }

    private List<Long> places(List<Long> interesting, long size) {
        List<Long> chosen = new ArrayList<>();
        int count = (int) dice.between(2, 6);
        for (int i = 0; i < count; i++) {
            long at =
                    interesting.isEmpty() || dice.percent(40) ? dice.below(Math.max(1, size)) : dice.pick(interesting);
            chosen.add(Math.max(0, Math.min(size, at)) / cluster);
        }
        return chosen;
    }

    List<Operation> operations(int count) {
        List<Operation> list = new ArrayList<>();
        int downgrade = snapshots && special.becomesOld() ? (int) dice.below(count) : -1;
        for (int i = 0; i < count; i++) {
            if (i == downgrade) {
                list.addAll(downgrade());
            }
            list.add(next());
        }
        return list;
    }

    /** The way to version 2, which has no zero clusters, with some in a snapshot: by chance it would be taken too rarely. */
    private List<Operation> downgrade() {
        List<Operation> steps = new ArrayList<>();
        if (dice.percent(50)) {
            steps.add(special.amendTo(3));
        }
        steps.addAll(List.of(write(), zeroes(), new SnapshotCreate("old", special.vmStateSize())));
        if (dice.percent(60)) {
            steps.add(dice.percent(60) ? write() : zeroes());
        }
        if (dice.percent(40)) {
            steps.add(new SnapshotCreate("older", 0));
        }
        steps.addAll(List.of(special.amendTo(2), new SnapshotApply("old")));
        return steps;
    }

    private Operation next() {
        int share = special.weight();
        return switch (dice.weighted(7, 38, 22, 14, 3, 3, 4, 3, snapshots ? 8 : 0, qemu ? 20 : 0, 1, share)) {
            case 0 -> read();
            case 1 -> write();
            case 2 -> zeroes();
            case 3 -> discard();
            case 4 -> status();
            case 5 -> new Flush();
            case 6 -> new Reopen();
            case 7 -> new Exchange();
            case 8 -> snapshot();
            case 9 -> qemuChange();
            case 10 -> outside();
            default -> special.next(places);
        };
    }

    private Operation read() {
        Range range = range(LONGEST_TRANSFER);
        return new Read(range.offset(), range.length());
    }

    private Operation status() {
        Range range = range(LONGEST_ZERO);
        return new Status(range.offset(), range.length());
    }

    private Change write() {
        Range range = range(LONGEST_TRANSFER);
        return new Write(range.offset(), range.length(), Fill.clip(nextFill++));
    }

    private Change zeroes() {
        Range range = range(LONGEST_ZERO);
        return new WriteZeroes(
                range.offset(), range.length(), dice.percent(50) ? ZeroMode.KEEP_ALLOCATION : ZeroMode.MAY_UNMAP);
    }

    private Change discard() {
        Range range = range(LONGEST_ZERO);
        return new Discard(range.offset(), range.length());
    }

    private Operation qemuChange() {
        int share = special.weight();
        if (dice.percent(Math.min(40, share + (snapshots ? 10 : 0)))) {
            Operation step = !snapshots || (share > 0 && dice.percent(80)) ? special.next(places) : snapshot();
            return Qemu.canDo(step) ? new Qemu(step) : step;
        }
        Change change =
                switch (dice.weighted(50, 30, 20)) {
                    case 0 -> write();
                    case 1 -> zeroes();
                    default -> discard();
                };
        long from = change.offset() / 512 * 512;
        long to = Math.min(special.size() / 512 * 512, (change.offset() + change.length() + 511) / 512 * 512);
        return new Qemu(change.withRange(from, Math.max(0, to - from)));
    }

    private Operation snapshot() {
        boolean create = snapshotCount < MOST_SNAPSHOTS && dice.percent(50);
        if (create) {
            return new SnapshotCreate("s" + snapshotCount++, special.vmStateSize());
        }
        // The kit's own images may have one from the start.
        String name = dice.percent(25) ? ImageBuilder.SNAPSHOT_NAME : "s" + dice.below(MOST_SNAPSHOTS);
        return dice.percent(60) ? new SnapshotApply(name) : new SnapshotDelete(name);
    }

    /** A request of which at least one byte is outside the disk. */
    private Operation outside() {
        long size = special.size();
        long offset = dice.pick(List.of(size, size + 1, size - 1, Long.MAX_VALUE - 1, -1L));
        long length = Math.max(2, dice.below(2 * cluster));
        return switch (dice.weighted(1, 1, 1, 1, 1)) {
            case 0 -> new Read(offset, length);
            case 1 -> new Write(offset, length, Fill.clip(nextFill++));
            case 2 -> new WriteZeroes(offset, length, ZeroMode.MAY_UNMAP);
            case 3 -> new Discard(offset, length);
            default -> new Status(offset, length);
        };
    }

    /** A part of the disk. */
    private record Range(long offset, long length) {}

    private Range range(long longest) {
        long size = special.size();
        long start = Math.min(dice.pick(places) * cluster, size);
        long count = dice.percent(75) ? 1 : dice.between(2, Math.max(2, Math.min(80, size / cluster)));
        long whole = count * cluster;
        long from = start;
        long to = start + whole;
        switch (dice.weighted(28, 17, 17, 17, 12, 5, 4)) {
            case 0 -> {
                // Whole clusters: the range stays as it is.
            }
            case 1 -> to = start + dice.between(1, Math.max(1, whole - 1));
            case 2 -> from = start + dice.between(1, Math.max(1, whole - 1));
            case 3 -> {
                from = start + dice.between(1, Math.max(1, whole / 2));
                to = from + dice.between(1, Math.max(1, start + whole - from - 1));
            }
            case 4 -> {
                // Across the place: the end of one cluster and the head of the next.
                from = start - dice.between(1, cluster);
                to = start + dice.between(1, cluster);
            }
            case 5 -> to = from + dice.between(0, 16);
            default -> {
                from = dice.below(size + 1);
                to = from + dice.between(0, 4 * cluster);
            }
        }
        long clippedFrom = Math.max(0, Math.min(from, size));
        long clippedTo = Math.max(clippedFrom, Math.min(Math.min(to, size), clippedFrom + longest));
        return new Range(clippedFrom, clippedTo - clippedFrom);
    }
}
