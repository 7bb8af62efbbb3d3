package dev.qcow2.conformance.image;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostFile;
import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * The bytes of an existing file with changes that stay in memory. The file itself is only read, so
 * that sequences can start from images of any size without copying them.
 *
 * <p>One object is shared by all handles on the file; its methods exclude one another.
 */
final class CopyOnWriteFile {

    private static final int PAGE = 4096;

    private final HostFile original;
    private final MemoryHostFile changes;
    /** Pages whose bytes are in {@code changes}; all others are the original's. */
    private final BitSet changed = new BitSet();
    /** No byte from here on is the original's. */
    private long originalEnd;

    CopyOnWriteFile(HostFile original) throws DiskException {
        this.original = original;
        this.originalEnd = original.size();
        this.changes = new MemoryHostFile(original.name(), new MemoryFileContent(), Access.READ_WRITE, true);
        changes.truncate(originalEnd);
    }

    synchronized long size() throws DiskException {
        return changes.size();
    }

    synchronized int read(long offset, ByteBuffer into) throws DiskException {
        int total = (int) Math.max(0, Math.min(into.remaining(), size() - offset));
        for (int done = 0; done < total; ) {
            long at = offset + done;
            int step = (int) Math.min(total - done, PAGE - at % PAGE);
            ByteBuffer part = into.slice(into.position(), step);
            if (isChanged(at)) {
                changes.read(at, part);
            } else {
                readOriginal(at, part);
            }
            into.position(into.position() + step);
            done += step;
        }
        return total;
    }

    private boolean isChanged(long at) {
        return changed.get(Math.toIntExact(at / PAGE));
    }

    private void readOriginal(long at, ByteBuffer part) throws DiskException {
        int inside = (int) Math.max(0, Math.min(part.remaining(), originalEnd - at));
        original.read(at, part.slice(0, inside));
        part.position(inside);
        while (part.hasRemaining()) {
            part.put((byte) 0);
        }
    }

    synchronized void write(long offset, ByteBuffer from) throws DiskException {
        long end = offset + from.remaining();
        takeEdges(offset, end);
        changes.write(offset, from);
        mark(offset, end);
    }

    synchronized void zero(long offset, long length) throws DiskException {
        long end = offset + length;
        takeEdges(offset, end);
        changes.zero(offset, length);
        mark(offset, end);
    }

    synchronized void punchHole(long offset, long length) throws DiskException {
        long end = Math.min(size(), offset + length);
        if (offset < end) {
            zero(offset, end - offset);
        }
    }

    synchronized void truncate(long size) throws DiskException {
        originalEnd = Math.min(originalEnd, size);
        changes.truncate(size);
    }

    /** Pages that a change covers only in part keep their other bytes. */
    private void takeEdges(long offset, long end) throws DiskException {
        if (offset < end) {
            take(offset / PAGE);
            take((end - 1) / PAGE);
        }
    }

    private void take(long page) throws DiskException {
        long start = page * PAGE;
        if (!isChanged(start) && start < originalEnd) {
            ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(PAGE, originalEnd - start));
            readOriginal(start, bytes);
            changes.write(start, bytes.flip());
        }
        changed.set(Math.toIntExact(page));
    }

    private void mark(long offset, long end) {
        if (offset < end) {
            changed.set(Math.toIntExact(offset / PAGE), Math.toIntExact((end - 1) / PAGE) + 1);
        }
    }
}
