package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Transition.Below;
import dev.qcow2.conformance.campaign.Transition.Unit;
import dev.qcow2.conformance.image.ImageInspector;
import dev.qcow2.conformance.image.ImageInspector.View;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Change;
import dev.qcow2.conformance.language.Operation.Qemu;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.model.BaseContent;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Looks at the clusters and subclusters that a change touches, before and after it. */
final class TransitionCounter {

    private static final int SUBCLUSTERS = 32;

    /** A unit of one subject's image that waits for its state after the change. */
    private record Pending(Subject subject, long start, Transition transition) {}

    private final World world;
    private final GuestModel model;
    private final Ground ground;
    private final Coverage coverage;
    private final List<Pending> pending = new ArrayList<>();
    private final boolean backedAtFirst;
    private final int backingAtFirst;

    TransitionCounter(World world, Ground ground, Coverage coverage) {
        this.world = world;
        this.model = world.model();
        this.ground = ground;
        this.coverage = coverage;
        this.backedAtFirst = world.backed();
        this.backingAtFirst = world.backingLayer();
    }

    void before(Operation operation, List<Subject> subjects) throws IOException {
        pending.clear();
        Change change;
        if (operation instanceof Change own) {
            change = own;
        } else if (operation instanceof Qemu qemu && qemu.step() instanceof Change foreign) {
            change = foreign;
        } else {
            return;
        }
        if (!isDone(change)) {
            return;
        }
        for (Subject subject : subjects) {
            try (HostFile file = subject.openBytes()) {
                ImageInspector inspector = new ImageInspector(file);
                for (long start : touched(change, unit(inspector))) {
                    pending.add(new Pending(subject, start, transition(inspector, change, start)));
                }
            }
        }
    }

    /** Requests that have to be refused change no state; nor is anything known of another backing file. */
    private boolean isDone(Change change) {
        boolean refused = change.kind() == Operation.Kind.WRITE_COMPRESSED
                && !(world.mayCompress() && world.wholeClusters(change.offset(), change.length()));
        boolean sameChain = world.backed() == backedAtFirst && world.backingLayer() == backingAtFirst;
        return sameChain && !refused && model.contains(change.offset(), change.length()) && change.length() > 0;
    }

    void after() throws IOException {
        for (Pending waiting : pending) {
            try (HostFile file = waiting.subject().openBytes()) {
                View view = view(new ImageInspector(file), waiting.start());
                coverage.transition(waiting.transition(), view.state());
            }
        }
        pending.clear();
    }

    /** Bytes of what has a state of its own: a cluster, or a subcluster. */
    private static long unit(ImageInspector inspector) {
        return (1L << inspector.clusterBits()) / (inspector.extendedL2() ? SUBCLUSTERS : 1);
    }

    /** The first, the last, and one between: long requests treat those between alike. */
    private static Set<Long> touched(Change change, long unit) {
        long first = change.offset() / unit;
        long last = (change.offset() + change.length() - 1) / unit;
        return new TreeSet<>(List.of(first * unit, (first + last) / 2 * unit, last * unit));
    }

    private static View view(ImageInspector inspector, long start) throws IOException {
        long cluster = start >>> inspector.clusterBits();
        long inCluster = start - (cluster << inspector.clusterBits());
        return inspector.view(cluster, (int) (inCluster / unit(inspector)));
    }

    private Transition transition(ImageInspector inspector, Change change, long start) throws IOException {
        View view = view(inspector, start);
        long end = Math.min(model.size(), start + unit(inspector));
        long cluster = start >>> inspector.clusterBits() << inspector.clusterBits();
        long clusterEnd = Math.min(model.size(), cluster + (1L << inspector.clusterBits()));
        boolean discard = change.kind() == Operation.Kind.DISCARD;
        Request request = discard ? Request.of(change, cluster, clusterEnd) : Request.of(change, start, end);
        return new Transition(kind(inspector), view.state(), view.shared(), below(start, end), request);
    }

    private static Unit kind(ImageInspector inspector) {
        if (inspector.extendedL2()) {
            return Unit.SUBCLUSTER;
        }
        return inspector.version() == 2 ? Unit.VERSION_2 : Unit.VERSION_3;
    }

    private Below below(long start, long end) throws IOException {
        if (ground.below().isEmpty()) {
            return Below.NOTHING;
        }
        BaseContent content = ground.below().get();
        if (content.size() < end) {
            return Below.SHORT;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) (end - start));
        content.readZeroPadded(start, bytes);
        for (byte value : bytes.array()) {
            if (value != 0) {
                return Below.DATA;
            }
        }
        return Below.ZEROS;
    }
}
