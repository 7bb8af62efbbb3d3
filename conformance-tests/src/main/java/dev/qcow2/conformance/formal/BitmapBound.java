package dev.qcow2.conformance.formal;

import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A bound of module Bitmaps whose graph is replayed.
 *
 * @param model a small model
 * @param style "eager" for an implementation that stores after every request about bitmaps, "late" for one that stores
 *     when the disk is closed
 * @param clusters how many clusters the disk has at most
 * @param states how many states there must be in which nothing is under way
 * @param transitions how many requests there must be in all of them
 */
public record BitmapBound(String model, String style, int clusters, int states, int transitions) {

    private static final String EAGER = "eager";
    private static final String LATE = "late";

    /** All that are replayed. */
    public static final List<BitmapBound> ALL = List.of(
            new BitmapBound("bitmaps-eager", EAGER, 2, 71, 446),
            new BitmapBound("bitmaps-late", LATE, 2, 410, 3004),
            new BitmapBound("bitmaps-left", EAGER, 1, 139, 471),
            new BitmapBound("bitmaps-left", LATE, 1, 848, 3130),
            new BitmapBound("bitmaps-merge", EAGER, 2, 230, 1236),
            new BitmapBound("bitmaps-merge", LATE, 1, 255, 1406));

    /**
     * Says whether an implementation has this style.
     *
     * @param driver the implementation
     * @return whether it shall follow the graph
     */
    public boolean isOf(DiskDriver driver) {
        return style.equals(driver.name().startsWith("reference") ? EAGER : LATE);
    }

    /**
     * Has TLC make the graph.
     *
     * @param runner runs TLC
     * @param scratch a folder for files that are removed again
     * @return the graph
     * @throws ModelException if TLC gives no answer, or not as many states and transitions as the bound must have
     * @throws IOException if files cannot be written or read
     */
    public BitmapGraph graph(ModelRun runner, Path scratch) throws ModelException, IOException {
        Map<String, String> constants = Map.of("Style", "\"" + style + "\"", "Largest", Integer.toString(clusters));
        BitmapGraph graph = BitmapGraph.load(model, constants, runner, scratch);
        if (graph.states() != states || graph.transitions() != transitions) {
            throw new ModelException(
                    "graph of " + this,
                    0,
                    "found " + graph.states() + " states and " + graph.transitions() + " transitions");
        }
        return graph;
    }

    @Override
    public String toString() {
        return model + ", " + style;
    }
}
