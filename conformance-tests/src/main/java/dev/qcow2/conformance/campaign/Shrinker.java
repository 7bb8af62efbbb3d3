package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Qemu;
import dev.qcow2.conformance.language.Operation.Ranged;
import dev.qcow2.conformance.language.Script;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes a script smaller as long as the same kind of difference is seen: first fewer operations
 * (delta debugging), then fewer layers and less content, then rounder and smaller numbers.
 */
final class Shrinker {

    /** Says whether a script still shows the difference. */
    @FunctionalInterface
    interface Trial {
        boolean fails(Script script) throws InterruptedException;
    }

    private final Trial trial;
    private final ProgressListener listener;
    private final long deadline;
    private Script best;

    Shrinker(Script script, Trial trial, Duration budget, ProgressListener listener) {
        this.best = script;
        this.trial = trial;
        this.listener = listener;
        this.deadline = System.nanoTime() + budget.toNanos();
    }

    Script shrink() throws InterruptedException {
        boolean smaller = true;
        while (smaller && inTime()) {
            smaller = fewerOperations();
            smaller |= fewerLayers();
            smaller |= lessContent();
            smaller |= smallerNumbers();
        }
        return best;
    }

    private boolean inTime() {
        return System.nanoTime() - deadline < 0;
    }

    private boolean accept(Script candidate) throws InterruptedException {
        if (candidate.equals(best) || !inTime() || !trial.fails(candidate)) {
            return false;
        }
        best = candidate;
        listener.shrinking(best.operations().size());
        return true;
    }

    /** Delta debugging: leave out halves, quarters, and so on down to single operations. */
    private boolean fewerOperations() throws InterruptedException {
        boolean any = false;
        int chunk = Math.max(1, best.operations().size() / 2);
        while (true) {
            boolean removed = false;
            // From the end, so that indexes before the cut stay right.
            for (int start = best.operations().size() - chunk; start > -chunk; start -= chunk) {
                List<Operation> rest = new ArrayList<>(best.operations());
                int from = Math.max(0, start);
                rest.subList(from, Math.min(rest.size(), start + chunk)).clear();
                removed |= rest.size() < best.operations().size() && accept(best.withOperations(rest));
            }
            any |= removed;
            if ((chunk == 1 && !removed) || !inTime()) {
                return any;
            }
            chunk = Math.max(1, removed ? Math.min(chunk, best.operations().size()) : chunk / 2);
        }
    }

    private boolean fewerLayers() throws InterruptedException {
        boolean any = false;
        for (int i = best.layers().size() - 1; i > 0; i--) {
            List<Layer> layers = new ArrayList<>(best.layers());
            layers.remove(i);
            any |= accept(best.withLayers(layers));
        }
        for (int i = 0; i < best.layers().size(); i++) {
            Layer layer = best.layers().get(i);
            if (layer.format() == Layer.Format.QCOW2) {
                Layer.Traits own = layer.traits();
                any |= accept(
                        with(i, layer.withTraits(new Layer.Traits(own.maker(), Layer.Sharing.NONE, false, true))));
                any |= i == 0 && accept(with(0, layer.withContent(List.of()).withTraits(Layer.Traits.PLAIN)));
            }
        }
        return any;
    }

    private Script with(int index, Layer layer) {
        List<Layer> layers = new ArrayList<>(best.layers());
        layers.set(index, layer);
        return best.withLayers(layers);
    }

    private boolean lessContent() throws InterruptedException {
        boolean any = false;
        for (int i = 0; i < best.layers().size(); i++) {
            any |= accept(with(i, best.layers().get(i).withContent(List.of())));
            for (int k = best.layers().get(i).content().size() - 1; k >= 0; k--) {
                List<Layer.Run> runs = new ArrayList<>(best.layers().get(i).content());
                Layer.Run run = runs.remove(k);
                if (accept(with(i, best.layers().get(i).withContent(runs)))) {
                    any = true;
                } else if (run.count() > 1) {
                    runs.add(k, new Layer.Run(run.state(), run.first(), 1, run.shared(), run.fill()));
                    any |= accept(with(i, best.layers().get(i).withContent(runs)));
                }
            }
            any |= smallerSize(i);
        }
        return any;
    }

    private boolean smallerSize(int index) throws InterruptedException {
        boolean any = false;
        Layer layer = best.layers().get(index);
        for (long size : List.of(layer.clusterSize() * 4L, layer.size() / 2, rounded(layer.size(), layer))) {
            if (size < best.layers().get(index).size()) {
                any |= accept(with(index, layer.withSize(size)));
            }
        }
        return any;
    }

    private static long rounded(long size, Layer layer) {
        return size / layer.clusterSize() * layer.clusterSize();
    }

    private boolean smallerNumbers() throws InterruptedException {
        boolean any = false;
        for (int i = 0; i < best.operations().size(); i++) {
            Operation operation = best.operations().get(i);
            if (operation instanceof Ranged ranged) {
                any |= smallerRange(i, ranged);
            } else if (operation instanceof Qemu qemu) {
                any |= replace(i, qemu.step());
            }
        }
        return any;
    }

    private boolean smallerRange(int index, Ranged ranged) throws InterruptedException {
        long unit = best.layers().isEmpty() ? 512 : best.layers().get(0).clusterSize();
        long offset = ranged.offset();
        long length = ranged.length();
        long end = offset + length;
        List<Ranged> candidates = List.of(
                ranged.withRange(0, length),
                ranged.withRange(offset, 1),
                ranged.withRange(offset, length / 2),
                ranged.withRange(offset + length / 2, length - length / 2),
                ranged.withRange(offset % unit, length),
                ranged.withRange(offset / unit * unit, length),
                ranged.withRange(offset, Math.max(0, end / unit * unit - offset)),
                ranged.withRange(offset / 512 * 512, length),
                ranged.withRange(offset, Math.min(length, 512)));
        for (Ranged candidate : candidates) {
            boolean smaller = candidate.offset() >= 0
                    && candidate.offset() <= offset + length / 2
                    && candidate.length() >= 0
                    && candidate.length() <= length
                    && (candidate.length() < length || Math.abs(candidate.offset()) < Math.abs(offset));
            if (smaller && replace(index, candidate)) {
                return true;
            }
        }
        return false;
    }

    private boolean replace(int index, Operation operation) throws InterruptedException {
        List<Operation> operations = new ArrayList<>(best.operations());
        operations.set(index, operation);
        return accept(best.withOperations(operations));
    }
}
