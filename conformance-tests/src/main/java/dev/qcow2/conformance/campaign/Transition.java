package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.language.ClusterState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * A cluster in a state, and a request that meets it there.
 *
 * @param version format version of the image
 * @param state what its entry says before
 * @param shared whether a snapshot shares its host cluster or its L2 table
 * @param below what lies under it in the backing chain
 * @param request what is done to it
 */
public record Transition(int version, ClusterState state, boolean shared, Below below, Request request)
        implements Comparable<Transition> {

    /** What the backing chain has for a cluster. */
    public enum Below {
        /** There is no backing file. */
        NOTHING,
        /** Bytes of which at least one is not zero. */
        DATA,
        /** Zeros only. */
        ZEROS,
        /** The backing file ends before the cluster does (QC-BACK-01). */
        SHORT
    }

    private static final Comparator<Transition> ORDER = Comparator.comparingInt(Transition::version)
            .thenComparing(Transition::state)
            .thenComparing(Transition::shared)
            .thenComparing(Transition::below)
            .thenComparing(Transition::request);

    /**
     * Returns every transition that the format allows: version 2 has no zero clusters (QC-L2-08).
     *
     * @return in ascending order
     */
    public static List<Transition> possible() {
        List<Transition> all = new ArrayList<>();
        for (int version = 2; version <= 3; version++) {
            for (ClusterState state : ClusterState.values()) {
                boolean zero = state == ClusterState.ZERO_PLAIN || state == ClusterState.ZERO_ALLOCATED;
                boolean counted = !state.needsSubclusters() && state != ClusterState.COMPRESSED;
                if (counted && (version == 3 || !zero)) {
                    addAll(all, version, state);
                }
            }
        }
        return List.copyOf(all);
    }

    private static void addAll(List<Transition> all, int version, ClusterState state) {
        for (boolean shared : new boolean[] {false, true}) {
            for (Below below : Below.values()) {
                for (Request request : Request.values()) {
                    all.add(new Transition(version, state, shared, below, request));
                }
            }
        }
    }

    @Override
    public int compareTo(Transition other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return "v" + version + " " + state.word() + (shared ? " shared" : "") + " over "
                + below.name().toLowerCase(Locale.ROOT) + ": " + request.word();
    }
}
