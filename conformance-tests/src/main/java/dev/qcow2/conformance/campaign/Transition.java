package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.language.ClusterState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A cluster, or a subcluster, in a state, and a request that meets it there.
 *
 * @param unit what is in that state
 * @param state what its entry says before
 * @param shared whether a snapshot shares its host cluster or its L2 table
 * @param below what lies under it in the backing chain
 * @param request what is done to it
 */
public record Transition(Unit unit, ClusterState state, boolean shared, Below below, Request request)
        implements Comparable<Transition> {

    /** What has a state of its own. */
    public enum Unit {
        /** A cluster of a version 2 image. */
        VERSION_2("v2"),
        /** A cluster of a version 3 image without subclusters. */
        VERSION_3("v3"),
        /** A subcluster. */
        SUBCLUSTER("v3 subcluster");

        private final String words;

        Unit(String words) {
            this.words = words;
        }
    }

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

    private static final Comparator<Transition> ORDER = Comparator.comparing(Transition::unit)
            .thenComparing(Transition::state)
            .thenComparing(Transition::shared)
            .thenComparing(Transition::below)
            .thenComparing(Transition::request);

    /**
     * Returns every transition that the format allows.
     *
     * @return in ascending order
     */
    public static List<Transition> possible() {
        List<Transition> all = new ArrayList<>();
        for (Unit unit : Unit.values()) {
            for (ClusterState state : ClusterState.values()) {
                if (whyImpossible(unit, state).isEmpty()) {
                    addAll(all, unit, state);
                }
            }
        }
        return List.copyOf(all);
    }

    /**
     * Says which states there are none of.
     *
     * @return the state of the unit and the reason, for reports; the mixed states of the language are none of a unit
     */
    public static List<String> impossible() {
        List<String> reasons = new ArrayList<>();
        for (Unit unit : Unit.values()) {
            for (ClusterState state : ClusterState.values()) {
                whyImpossible(unit, state)
                        .ifPresent(reason -> reasons.add(unit.words + " " + state.word() + ": " + reason));
            }
        }
        return List.copyOf(reasons);
    }

    private static Optional<String> whyImpossible(Unit unit, ClusterState state) {
        return switch (state) {
            case UNALLOCATED, NORMAL, COMPRESSED -> Optional.empty();
            case ZERO_PLAIN, ZERO_ALLOCATED ->
                unit == Unit.VERSION_2 ? Optional.of("version 2 has no zero clusters [QC-L2-08]") : Optional.empty();
            case RESERVED ->
                unit == Unit.SUBCLUSTER
                        ? Optional.empty()
                        : Optional.of("a whole cluster with a host cluster is normal or zero [QC-SUB-05]");
            case MIXED, MIXED_PLAIN -> Optional.of("a mixed cluster is in the states of its subclusters");
        };
    }

    private static void addAll(List<Transition> all, Unit unit, ClusterState state) {
        for (boolean shared : new boolean[] {false, true}) {
            for (Below below : Below.values()) {
                for (Request request : Request.values()) {
                    all.add(new Transition(unit, state, shared, below, request));
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
        return unit.words + " " + state.word() + (shared ? " shared" : "") + " over "
                + below.name().toLowerCase(Locale.ROOT) + ": " + request.word();
    }
}
