package dev.qcow2.spec.tla;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Makes the graph of all states of module Bitmaps without cuts: states that differ only in what a cut may leave, or in
 * the names of places, are one. A request is several transitions there, one for each of its steps; the variable "work"
 * says which it is.
 */
public final class BitmapGraphs {

    private static final String NAME = "BitmapsSteps";

    private static final String TEXT = "---- MODULE " + NAME + """
             ----
            EXTENDS Bitmaps
            WithoutCuts ==
                << header.now, [d \\in Dirs |-> [n \\in Names |-> dirs[d][n].now]],
                   [p \\in Places |-> [c \\in Clusters |-> bits[p][c].now]],
                   mode, live, listed, work, free, freeDirs >>
            PlacesAlike == Permutations(Places) \\cup Permutations(Dirs)
            ====
            """;

    private BitmapGraphs() {}

    /**
     * Runs TLC and reads the graph.
     *
     * @param runner runs TLC
     * @param model a model of module Bitmaps
     * @param constants new values of constants, as the configuration writes them
     * @param scratch a folder for the dump, which is removed again
     * @return the graph; its edges have the names of actions and no parameters
     * @throws ModelException if TLC gives no answer
     * @throws IOException if files cannot be written or read
     */
    public static StateGraph of(ModelRun runner, ModelCase model, Map<String, String> constants, Path scratch)
            throws ModelException, IOException {
        String configuration =
                ModelRun.withConstants(model.configuration(), ModelFiles.text(model.configuration()), constants);
        // The properties are checked elsewhere; here a state stands for many.
        String bare = configuration
                        .substring(0, configuration.indexOf("INVARIANTS"))
                        .replace("SYMMETRY Symmetry", "SYMMETRY PlacesAlike")
                + "VIEW WithoutCuts\n";
        return GraphDump.read(runner, NAME, model.configuration(), bare, Map.of(NAME + ".tla", TEXT), scratch);
    }
}
