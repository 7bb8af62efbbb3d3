package dev.qcow2.spec.trace;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.ImageReading.Root;
import dev.qcow2.spec.trace.TraceEvent.Area;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceEvent.Host;
import dev.qcow2.spec.trace.TraceEvent.HostVerb;
import dev.qcow2.spec.trace.TraceEvent.Put;
import dev.qcow2.spec.trace.TraceEvent.PutCount;
import dev.qcow2.spec.trace.TraceEvent.PutDirty;
import dev.qcow2.spec.trace.TraceEvent.PutSaved;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Stands between an implementation and its image file, and makes the events of the host's level: each operation with what it
 * belongs to, and what it changed in tables and counts.
 *
 * <p>What belongs to what is found in the file itself, after each operation that touches a table.
 */
public final class HostObserver extends ForwardingHostFile {

    private final EventSink sink;
    private @Nullable ImageReading last;
    private AreaMap areas = AreaMap.EMPTY;

    /**
     * Wraps a file.
     *
     * @param target the image
     * @param sink hears the events
     */
    public HostObserver(HostFile target, EventSink sink) {
        super(target);
        this.sink = sink;
    }

    @Override
    public synchronized void write(long hostOffset, ByteBuffer from) throws DiskException {
        int length = from.remaining();
        lookFirst();
        super.write(hostOffset, from);
        changed(HostVerb.WRITE, hostOffset, length);
    }

    @Override
    public synchronized boolean zero(long hostOffset, long length) throws DiskException {
        lookFirst();
        boolean done = super.zero(hostOffset, length);
        if (done) {
            changed(HostVerb.ZERO, hostOffset, length);
        }
        return done;
    }

    @Override
    public synchronized boolean punchHole(long hostOffset, long length) throws DiskException {
        lookFirst();
        boolean done = super.punchHole(hostOffset, length);
        if (done) {
            changed(HostVerb.PUNCH, hostOffset, length);
        }
        return done;
    }

    @Override
    public synchronized void truncate(long size) throws DiskException {
        lookFirst();
        super.truncate(size);
        sink.event(new Host(HostVerb.TRUNCATE, Area.FILE, size, 0));
    }

    @Override
    public synchronized void flush() throws DiskException {
        super.flush();
        sink.event(new Host(HostVerb.FLUSH, Area.FILE, 0, 0));
    }

    /** What was there before the first change has to be known to see the change. */
    private void lookFirst() throws DiskException {
        if (last == null) {
            last = ImageReading.of(target(), null);
            areas = AreaMap.of(last);
        }
    }

    private void changed(HostVerb verb, long offset, long length) throws DiskException {
        ImageReading before = last;
        if (before == null || length == 0) {
            return;
        }
        sink.event(new Host(verb, areas.at(offset), offset, length));
        if (areas.isOnlyData(offset, length)) {
            return;
        }
        ImageReading now = ImageReading.of(target(), before);
        last = now;
        areas = AreaMap.of(now);
        tell(before, now);
    }

    private void tell(ImageReading before, ImageReading now) {
        if (before.facts.dirty() != now.facts.dirty()) {
            sink.event(new PutDirty(now.facts.dirty()));
        }
        ImageChanges.counts(before, now)
                .values()
                .forEach(count -> sink.event(new PutCount(count.host(), count.after())));
        for (Entry change : ImageChanges.entries(before, before.active, now, now.active)) {
            sink.event(new Put(change.place(), change.after()));
        }
        before.snapshots.forEach((id, root) -> tellSaved(id, before, root, now, now.snapshots.get(id)));
        now.snapshots.forEach((id, root) -> {
            if (!before.snapshots.containsKey(id)) {
                tellSaved(id, before, Root.EMPTY, now, root);
            }
        });
    }

    private void tellSaved(String id, ImageReading before, Root old, ImageReading now, @Nullable Root fresh) {
        for (Entry change : ImageChanges.entries(before, old, now, fresh == null ? Root.EMPTY : fresh)) {
            sink.event(new PutSaved(id, change.place(), change.after()));
        }
    }
}
