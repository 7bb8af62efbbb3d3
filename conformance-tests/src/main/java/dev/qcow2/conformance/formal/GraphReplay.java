package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.formal.ReplayGraph.Move;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Replays every transition of a graph on an image of its own: the image of each state is cloned, and one request is sent
 * to the clone. It goes breadth first, so that the first failure is one with the fewest requests.
 *
 * <p>After each request: what the guest reads, what the snapshots hold, the entries, the sharing and the reference
 * counts are those of a state that the model permits; and every other count is right too. States that the model reaches
 * by a choice that the implementation does not take are not visited.
 *
 * <p>Always-copy and skip are one graph here, since bytes that nobody reads are not compared. But with subclusters the
 * model's always-copy path marks all of a cluster's subclusters, while the reference copies all and marks those that are
 * written. So both implementations follow graphs of mode skip there. Both write a zero cluster that is theirs in place.
 */
public final class GraphReplay {

    private final ReplayGraph graph;
    private final Rig rig;
    private final String subject;
    private final ReplayProgress progress;
    private final Map<Integer, MemoryHostDirectory> images = new HashMap<>();
    private final Map<Integer, Step> steps = new HashMap<>();
    private final Deque<Integer> queue = new ArrayDeque<>();
    private int replayed;
    private int beyondBound;

    private record Step(int from, ModelRequest request) {}

    private GraphReplay(ReplayGraph graph, DiskDriver driver, ReplayProgress progress) {
        this.graph = graph;
        this.rig = new Rig(graph, driver);
        this.subject = driver.name();
        this.progress = progress;
    }

    /**
     * Replays a graph on an implementation.
     *
     * @param graph which
     * @param driver the implementation
     * @param progress hears how far it is
     * @return how far it came
     */
    public static ReplayResult run(ReplayGraph graph, DiskDriver driver, ReplayProgress progress) {
        return new GraphReplay(graph, driver, progress).run();
    }

    private ReplayResult run() {
        long start = System.nanoTime();
        Optional<String> refused = Optional.empty();
        Optional<ReplayFailure> failure = Optional.empty();
        try {
            failure = begin();
            while (failure.isEmpty() && !queue.isEmpty()) {
                failure = visit(queue.remove());
            }
        } catch (UnsupportedFeatureException e) {
            refused = Optional.of(e.feature());
        } catch (DiskException | RuntimeException e) {
            failure = Optional.of(rig.failure(List.of(), 0, List.of(0), new Rig.Result("", e.toString())));
        }
        return new ReplayResult(
                graph.bound().name(),
                subject,
                graph.states(),
                graph.transitions(),
                steps.size(),
                replayed,
                beyondBound,
                Duration.ofNanos(System.nanoTime() - start),
                refused,
                failure);
    }

    private Optional<ReplayFailure> begin() throws DiskException {
        MemoryHostDirectory directory = rig.create(true);
        Rig.Result found = rig.untouched(directory.copy());
        steps.put(0, new Step(-1, new ModelRequest("", List.of())));
        images.put(0, directory);
        queue.add(0);
        return found.fault().isEmpty() && found.key().equals(graph.key(0))
                ? Optional.empty()
                : Optional.of(rig.failure(List.of(), 0, List.of(0), found));
    }

    private Optional<ReplayFailure> visit(int state) throws UnsupportedFeatureException {
        MemoryHostDirectory image = Objects.requireNonNull(images.remove(state));
        for (Move move : graph.moves(state)) {
            MemoryHostDirectory clone = image.copy();
            Rig.Result found = rig.send(clone, move.request());
            progress.replayed(++replayed);
            int target = graph.find(found.key());
            if (!found.fault().isEmpty() || !move.targets().contains(target)) {
                if (found.fault().isEmpty() && graph.lacksHosts(state, move)) {
                    beyondBound++;
                    continue;
                }
                return Optional.of(rig.failure(path(state, move.request()), state, move.targets(), found));
            }
            if (!steps.containsKey(target)) {
                steps.put(target, new Step(state, move.request()));
                images.put(target, clone);
                queue.add(target);
            }
        }
        return Optional.empty();
    }

    private List<ModelRequest> path(int state, ModelRequest last) {
        List<ModelRequest> path = new ArrayList<>(List.of(last));
        for (int at = state; at != 0; ) {
            Step step = Objects.requireNonNull(steps.get(at));
            path.add(step.request());
            at = step.from();
        }
        Collections.reverse(path);
        return path;
    }
}
