package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Format;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Counts what a campaign has met. Safe for use by several threads. */
public final class Coverage {

    private final SortedMap<Transition, Set<ClusterState>> transitions = new TreeMap<>();
    private final SortedMap<String, Long> operations = new TreeMap<>();
    private final SortedMap<String, SortedMap<String, Long>> geometries = new TreeMap<>();

    private final SortedMap<String, Long> features = new TreeMap<>();
    private final SortedMap<String, Set<String>> leftOut = new TreeMap<>();
    private final List<Transition> possible;

    /** Counts everything that the format allows. */
    Coverage() {
        this(transition -> true);
    }

    /** Counts only what can be reached. */
    Coverage(Predicate<Transition> reachable) {
        this.possible = Transition.possible().stream().filter(reachable).toList();
    }

    synchronized void transition(Transition transition, ClusterState after) {
        transitions
                .computeIfAbsent(transition, key -> EnumSet.noneOf(ClusterState.class))
                .add(after);
    }

    synchronized void operation(Operation operation) {
        operations.merge(operation.kind().word(), 1L, Long::sum);
    }

    /** An implementation has refused an image by the name of a feature. */
    synchronized void leftOut(String driver, String feature) {
        leftOut.computeIfAbsent(driver, key -> new TreeSet<>()).add(feature);
    }

    /** Counts what a sequence uses. */
    synchronized void features(Set<Feature> used) {
        used.forEach(feature -> features.merge(feature.words(), 1L, Long::sum));
        String how = used.size() <= 3 ? Integer.toString(used.size()) : "4 or more";
        count("features in one sequence", how);
    }

    synchronized void geometry(Script script) {
        count("zeroing on the host", script.efficientZeroing() ? "efficient" : "refused");
        count("files judged", script.rigour() == Script.Rigour.EACH ? "after each operation" : "at flushes");
        if (script.layers().isEmpty()) {
            return;
        }
        Layer top = script.layers().get(0);
        Layer last = script.layers().get(script.layers().size() - 1);
        count("version", Integer.toString(top.version()));
        count("cluster size", String.format("%7d", top.clusterSize()).strip());
        count("refcount bits", Integer.toString(1 << top.refcountOrder()));
        count("backing files", Integer.toString(script.layers().size() - 1));
        count("last of the chain", last.format() == Format.RAW ? "raw" : "qcow2");
        count("made by", top.traits().maker() == Layer.Maker.KIT ? "the kit" : "the implementation");
        count("snapshot", top.traits().sharing().name().toLowerCase(java.util.Locale.ROOT));
        count("disk size", sizeClass(top));
    }

    private static String sizeClass(Layer top) {
        if (top.size() % 512 != 0) {
            return "odd";
        }
        return top.size() % top.clusterSize() == 0 ? "whole clusters" : "part of a cluster";
    }

    private void count(String what, String value) {
        geometries
                .computeIfAbsent(what, key -> new TreeMap<>(Coverage::byNumber))
                .merge(value, 1L, Long::sum);
    }

    private static int byNumber(String left, String right) {
        int byLength = Integer.compare(left.length(), right.length());
        boolean numbers = Character.isDigit(left.charAt(0)) && Character.isDigit(right.charAt(0));
        return numbers && byLength != 0 ? byLength : left.compareTo(right);
    }

    /**
     * Returns the transitions that were reached.
     *
     * @return each with the states that were seen after it
     */
    public synchronized SortedMap<Transition, Set<ClusterState>> transitions() {
        return new TreeMap<>(transitions);
    }

    /**
     * Returns the transitions that could be reached.
     *
     * @return in ascending order
     */
    public List<Transition> possible() {
        return possible;
    }

    /**
     * Returns the transitions that were not reached.
     *
     * @return in ascending order
     */
    public synchronized List<Transition> neverReached() {
        return possible.stream()
                .filter(transition -> !transitions.containsKey(transition))
                .toList();
    }

    /**
     * Returns how often each kind of operation was run.
     *
     * @return by the word that begins its line in scripts
     */
    public synchronized Map<String, Long> operations() {
        return new TreeMap<>(operations);
    }

    /**
     * Returns how many sequences used each feature.
     *
     * @return by the feature's words
     */
    public synchronized Map<String, Long> features() {
        return new TreeMap<>(features);
    }

    /**
     * Returns who was left out of sequences, because of what.
     *
     * @return for each implementation the features that it refused when an image was opened
     */
    public synchronized Map<String, Set<String>> leftOut() {
        return new TreeMap<>(leftOut);
    }

    /**
     * Returns how often each geometry was met.
     *
     * @return for each property how many sequences had which value
     */
    public synchronized Map<String, Map<String, Long>> geometries() {
        Map<String, Map<String, Long>> copy = new TreeMap<>();
        geometries.forEach((what, values) -> copy.put(what, new TreeMap<>(values)));
        return copy;
    }
}
