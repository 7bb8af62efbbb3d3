package dev.qcow2.spec.trace;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.ImageReading.Root;
import dev.qcow2.spec.trace.TraceEvent.Done;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceEvent.Fate;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.SavedEntry;
import dev.qcow2.spec.trace.TraceEvent.Settled;
import dev.qcow2.spec.trace.TraceEvent.Size;
import dev.qcow2.spec.trace.TraceEvent.Snapshot;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes the events of the guest's level for any implementation, from the bytes of the image before and after each request.
 *
 * <p>The image must be up to date in the file whenever it is looked at: flush first. Only what differs is looked at closely.
 * While the image is marked dirty its counts may be wrong, and with an external data file there are none; then nothing is
 * told, and the image is described anew afterwards.
 */
public final class ImageObserver {

    private final EventSink sink;
    private @Nullable ImageReading last;
    private boolean told;
    private Request request = new Request(Verb.LOOK, 0, 0, "");

    /**
     * Makes an observer.
     *
     * @param sink hears the events
     */
    public ImageObserver(EventSink sink) {
        this.sink = sink;
    }

    /**
     * Looks at the image afresh and describes it as a whole: at the start, and after something of which no model speaks.
     *
     * @param file the image
     * @throws DiskException if the host fails
     */
    public void describe(HostFile file) throws DiskException {
        ImageReading reading = ImageReading.of(file, last);
        last = reading;
        told = isJudged(reading);
        if (told) {
            ImageDescription.of(reading).forEach(sink::event);
        }
    }

    /**
     * Says whether the image is one that can be described: not while its counts are postponed, nor with a data file.
     *
     * @return true if the last look at it was told
     */
    public boolean tells() {
        return told;
    }

    private static boolean isJudged(ImageReading reading) {
        return !reading.facts.dirty() && !reading.facts.dataFile();
    }

    /**
     * Hears of a request that begins.
     *
     * @param asked what is asked for
     */
    public void begin(Request asked) {
        request = asked;
        if (told) {
            sink.event(asked);
        }
    }

    /**
     * Looks at what the request has changed.
     *
     * @param file the image
     * @throws DiskException if the host fails
     */
    public void end(HostFile file) throws DiskException {
        ImageReading before = last;
        if (before == null || !told) {
            describe(file);
            return;
        }
        ImageReading now = ImageReading.of(file, before);
        last = now;
        told = isJudged(now) && sameKind(before, now);
        if (told) {
            tell(before, now);
        }
    }

    private static boolean sameKind(ImageReading before, ImageReading now) {
        ImageFacts one = before.facts;
        ImageFacts other = now.facts;
        return one.version() == other.version()
                && one.clusterBits() == other.clusterBits()
                && one.extended() == other.extended()
                && one.countOrder() == other.countOrder()
                && one.backed() == other.backed();
    }

    private void tell(ImageReading before, ImageReading now) {
        boolean restores = request.verb() == Verb.RESTORE && isRestored(now, request.name());
        if (before.facts.size() != now.facts.size() && request.verb() != Verb.RESIZE) {
            sink.event(new Size(now.facts.size()));
        }
        List<Entry> entries = ImageChanges.inOrder(ImageChanges.entries(before, before.active, now, now.active));
        boolean stepByStep =
                request.verb() != Verb.SAVE && request.verb() != Verb.RESTORE && request.verb() != Verb.FORGET;
        CountPath counts = new CountPath(before, now, stepByStep ? entries : List.of());
        counts.raised().forEach(sink::event);
        for (String id : before.snapshots.keySet()) {
            if (!now.snapshots.containsKey(id)) {
                sink.event(new Snapshot(Fate.GONE, id));
            }
        }
        for (String id : now.snapshots.keySet()) {
            if (!before.snapshots.containsKey(id)) {
                sink.event(new Snapshot(Fate.TAKEN, id));
            }
        }
        if (restores) {
            sink.event(new Snapshot(Fate.RESTORED, request.name()));
        }
        entries.forEach(sink::event);
        now.snapshots.forEach((id, root) -> {
            Root old = before.snapshots.getOrDefault(id, Root.EMPTY);
            ImageChanges.entries(before, old, now, root)
                    .forEach(change -> sink.event(new SavedEntry(id, change.place(), change.before(), change.after())));
        });
        counts.lowered().forEach(sink::event);
        sink.event(new Done());
        sink.event(new Settled());
    }

    /** A restore that was refused changes nothing; one that was done shows the disk of the snapshot. */
    private static boolean isRestored(ImageReading now, String id) {
        Root saved = now.snapshots.get(id);
        return saved != null
                && ImageChanges.entries(now, now.active, now, saved).stream()
                        .filter(change -> change.place().kind() == Place.Kind.CLUSTER)
                        .filter(change -> change.place().index() << now.facts.clusterBits() < now.facts.size())
                        .allMatch(change -> change.before()
                                .withCopied(false)
                                .equals(change.after().withCopied(false)));
    }

    /**
     * Describes an image.
     *
     * @param file the image
     * @return the events from {@link TraceEvent.Image} to {@link TraceEvent.Ready}
     * @throws DiskException if the host fails
     */
    public static List<TraceEvent> description(HostFile file) throws DiskException {
        return new ArrayList<>(ImageDescription.of(ImageReading.of(file, null)));
    }
}
