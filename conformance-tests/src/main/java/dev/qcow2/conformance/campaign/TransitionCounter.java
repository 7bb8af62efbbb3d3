package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Transition.Below;
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

/** Looks at the clusters that a change touches, before and after it. */
final class TransitionCounter {

    /** A cluster of one subject's image that waits for its state after the change. */
    private record Pending(int subject, long cluster, Transition transition) {}

    private final GuestModel model;
    private final Ground ground;
    private final Coverage coverage;
    private final List<Pending> pending = new ArrayList<>();

    TransitionCounter(GuestModel model, Ground ground, Coverage coverage) {
        this.model = model;
        this.ground = ground;
        this.coverage = coverage;
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
        if (!model.contains(change.offset(), change.length()) || change.length() == 0) {
            return;
        }
        for (int i = 0; i < subjects.size(); i++) {
            try (HostFile file = subjects.get(i).openBytes()) {
                ImageInspector inspector = new ImageInspector(file);
                for (long cluster : touched(change)) {
                    pending.add(new Pending(i, cluster, transition(inspector, change, cluster)));
                }
            }
        }
    }

    void after(List<Subject> subjects) throws IOException {
        for (Pending waiting : pending) {
            try (HostFile file = subjects.get(waiting.subject()).openBytes()) {
                View view = new ImageInspector(file).view(waiting.cluster());
                coverage.transition(waiting.transition(), view.state());
            }
        }
        pending.clear();
    }

    /** The first, the last, and one between: long requests treat those between alike. */
    private Set<Long> touched(Change change) {
        long first = change.offset() >>> ground.clusterBits();
        long last = (change.offset() + change.length() - 1) >>> ground.clusterBits();
        return new TreeSet<>(List.of(first, (first + last) / 2, last));
    }

    private Transition transition(ImageInspector inspector, Change change, long cluster) throws IOException {
        View view = inspector.view(cluster);
        long start = cluster << ground.clusterBits();
        long end = Math.min(model.size(), start + (1L << ground.clusterBits()));
        return new Transition(
                ground.version(), view.state(), view.shared(), below(start, end), Request.of(change, start, end));
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
