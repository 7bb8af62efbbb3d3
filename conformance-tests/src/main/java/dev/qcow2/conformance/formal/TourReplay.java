package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.formal.ReplayGraph.Move;
import dev.qcow2.conformance.formal.Tours.Leg;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Walks tours with a disk that stays open: so caches are warm, clusters that were freed wait for their reuse, and
 * compressed data is packed behind the data before. After each request the disk is read.
 *
 * <p>In every second tour each request is followed by a flush, and the image is looked at as {@link GraphReplay} does. In
 * the other tours that is done after every third request only: meanwhile clusters are freed and taken again in memory.
 * Every other pair of tours has a host that neither zeroes efficiently nor punches holes, so that a freed cluster is stale.
 * Waiting with the flush is not done where the model leaves a choice, for the state between is then not known.
 *
 * <p>Where the model leaves a choice the implementation may not go where the tour expects it. Then the rest of the tour is
 * sent all the same, as long as the requests exist in the state that was reached.
 */
public final class TourReplay {

    private static final int FLUSH_EVERY = 3;

    private final ReplayGraph graph;
    private final Rig rig;
    private final String subject;
    private final ReplayProgress progress;
    private final List<BitSet> replayed = new ArrayList<>();
    private final Set<Integer> reached = new HashSet<>(Set.of(0));
    private int requests;
    private int beyondBound;

    private TourReplay(ReplayGraph graph, DiskDriver driver, ReplayProgress progress) {
        this.graph = graph;
        this.rig = new Rig(graph, driver);
        this.subject = driver.name();
        this.progress = progress;
        for (int state = 0; state < graph.states(); state++) {
            replayed.add(new BitSet());
        }
    }

    /**
     * Walks all tours of a graph on an implementation.
     *
     * @param graph which
     * @param tours paths from the initial state
     * @param driver the implementation
     * @param progress hears how far it is
     * @return how far it came
     */
    public static ReplayResult run(
            ReplayGraph graph, List<List<Leg>> tours, DiskDriver driver, ReplayProgress progress) {
        return new TourReplay(graph, driver, progress).run(tours);
    }

    private ReplayResult run(List<List<Leg>> tours) {
        long start = System.nanoTime();
        Optional<String> refused = Optional.empty();
        Optional<ReplayFailure> failure = Optional.empty();
        try {
            boolean choice = graph.leavesChoice();
            for (int i = 0; i < tours.size() && failure.isEmpty(); i++) {
                failure = walk(tours.get(i), choice || i % 2 == 0 ? 1 : FLUSH_EVERY, i % 4 < 2);
            }
        } catch (UnsupportedFeatureException e) {
            refused = Optional.of(e.feature());
        } catch (DiskException | RuntimeException e) {
            failure = Optional.of(rig.failure(List.of(), 0, List.of(0), new Rig.Result("", e.toString())));
        }
        return new ReplayResult(
                graph.bound().name(),
                subject + ", open",
                graph.states(),
                graph.transitions(),
                reached.size(),
                replayed.stream().mapToInt(BitSet::cardinality).sum(),
                beyondBound,
                Duration.ofNanos(System.nanoTime() - start),
                refused,
                failure);
    }

    private Optional<ReplayFailure> walk(List<Leg> tour, int flushEvery, boolean efficientZeroing)
            throws DiskException {
        MemoryHostDirectory directory = rig.create(efficientZeroing);
        List<ModelRequest> path = new ArrayList<>();
        int state = 0;
        try (VirtualDisk disk = rig.open(directory)) {
            for (Leg leg : tour) {
                Optional<Move> here = moveIn(state, leg.move().request());
                if (here.isEmpty()) {
                    continue;
                }
                Move move = here.get();
                path.add(move.request());
                progress.replayed(++requests);
                boolean flushed = path.size() % flushEvery == 0;
                Rig.Result found =
                        flushed ? rig.send(disk, directory, move.request()) : rig.sendUnflushed(disk, move.request());
                int target = flushed ? graph.find(found.key()) : move.targets().get(0);
                boolean right =
                        flushed ? move.targets().contains(target) : found.key().equals(graph.guest(target));
                if (!found.fault().isEmpty() || !right) {
                    return found.fault().isEmpty() && graph.lacksHosts(state, move)
                            ? leaveBound()
                            : Optional.of(rig.failure(path, state, move.targets(), found));
                }
                replayed.get(state).set(graph.moves(state).indexOf(move));
                reached.add(target);
                state = target;
            }
        }
        return Optional.empty();
    }

    /** The rest of the tour would need host clusters that the model has not. */
    private Optional<ReplayFailure> leaveBound() {
        beyondBound++;
        return Optional.empty();
    }

    private Optional<Move> moveIn(int state, ModelRequest request) {
        return graph.moves(state).stream()
                .filter(move -> Objects.equals(move.request(), request))
                .findFirst();
    }
}
