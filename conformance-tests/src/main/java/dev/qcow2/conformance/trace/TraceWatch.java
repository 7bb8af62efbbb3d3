package dev.qcow2.conformance.trace;

import dev.qcow2.conformance.language.Operation;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.EventSink;
import dev.qcow2.spec.trace.ImageObserver;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceOracle;
import dev.qcow2.spec.trace.TraceRefusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Watches one image, whoever works on it: makes its trace from the bytes and has it judged after every operation. The image
 * must be up to date in its file whenever it is looked at.
 */
public final class TraceWatch {

    private final TraceOracle oracle = new TraceOracle();
    private final EventSink sink;
    private final ImageObserver observer;
    private final List<TraceEvent> recorded = new ArrayList<>();
    private Optional<Request> request = Optional.empty();
    private boolean suspended;
    /** Something happened that was not told, and the image could not be described since. */
    private boolean blind;

    /**
     * Makes a watch.
     *
     * @param records whether the events are kept, to be written or to be judged by the model checker
     */
    public TraceWatch(boolean records) {
        EventSink both = event -> {
            recorded.add(event);
            oracle.event(event);
        };
        EventSink judge = records ? both : oracle;
        this.sink = event -> {
            if (!suspended) {
                judge.event(event);
            }
        };
        this.observer = new ImageObserver(sink);
    }

    /**
     * Looks at the image for the first time.
     *
     * @param file the image
     * @throws DiskException if the host fails
     */
    public void start(HostFile file) throws DiskException {
        observer.describe(file);
    }

    /**
     * Hears what is about to be done.
     *
     * @param operation what
     * @param disk the open disk
     * @throws DiskException if the disk can't name its snapshots
     */
    public void before(Operation operation, VirtualDisk disk) throws DiskException {
        List<SnapshotInfo> snapshots =
                switch (operation.kind()) {
                    case SNAPSHOT_APPLY, SNAPSHOT_DELETE -> disk.snapshots();
                    default -> List.of();
                };
        request = TraceRequests.of(operation, name -> snapshots.stream()
                .filter(snapshot -> snapshot.name().equals(name))
                .map(SnapshotInfo::id)
                .findFirst()
                .orElse("missing"));
        // What no model speaks of is not told; the image is described anew afterwards.
        suspended = blind || request.isEmpty();
        request.ifPresent(observer::begin);
    }

    /**
     * Returns who hears what is done to the file, if that is watched too.
     *
     * @return the same judge
     */
    public EventSink sink() {
        return sink;
    }

    /**
     * Looks at what was done.
     *
     * @param file the image, which holds all of it
     * @return what is wrong, or empty
     * @throws DiskException if the host fails
     */
    public Optional<TraceRefusal> after(HostFile file) throws DiskException {
        suspended = false;
        if (blind || request.isEmpty()) {
            observer.describe(file);
            blind = !observer.tells();
        } else {
            observer.end(file);
        }
        suspended = blind;
        return oracle.refusal();
    }

    /**
     * Returns what was recorded.
     *
     * @return the events so far; none if they are not kept
     */
    public List<TraceEvent> recorded() {
        return List.copyOf(recorded);
    }
}
