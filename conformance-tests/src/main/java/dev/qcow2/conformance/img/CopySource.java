package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** One or more disks, one behind the other, as one that is copied. */
final class CopySource {

    /** What a copier does with a part. */
    enum Kind {
        /** It reads and writes it. */
        DATA,
        /** It sees to it that the target reads as zero. */
        ZERO,
        /** It leaves it to the target's backing file. */
        BACKING
    }

    /**
     * A part that is treated alike.
     *
     * @param kind what is done with it
     * @param end first offset behind it
     */
    record Part(Kind kind, long end) {}

    private record Disk(OpenNode node, MapCursor map, long start) {

        long end() {
            return start + Sectors.ceiling(map.size());
        }
    }

    private final List<Disk> disks = new ArrayList<>();
    private final long size;
    private long backingSize = -1;

    CopySource(List<OpenNode> nodes) throws DiskException {
        long at = 0;
        for (OpenNode node : nodes) {
            Disk disk = new Disk(node, new MapCursor(node.disk()), at);
            disks.add(disk);
            at = disk.end();
        }
        size = at;
    }

    /** What the images leave open will show through from a backing file of the target, so far as that goes. */
    void leaveToBacking(long targetBackingSize) {
        backingSize = targetBackingSize;
    }

    /** Bytes of all disks, each rounded up to a sector. */
    long size() {
        return size;
    }

    private Disk disk(long offset) {
        for (Disk disk : disks) {
            if (offset < disk.end()) {
                return disk;
            }
        }
        throw new IllegalArgumentException("behind the end: " + offset);
    }

    /** Says what is at an offset; offsets must not go down from one question to the next. */
    Part at(long offset) throws DiskException {
        Disk disk = disk(offset);
        long inside = offset - disk.start;
        if (inside >= disk.map.size()) {
            return new Part(Kind.ZERO, disk.end());
        }
        MappedExtent extent = disk.map.at(inside);
        long end = extent.end() == disk.map.size() ? disk.end() : disk.start + extent.end();
        Kind kind = extent.content() == Content.ZERO ? Kind.ZERO : Kind.DATA;
        if (backingSize < 0) {
            return new Part(kind, end);
        }
        if (extent.depth() > 0) {
            // Which of the backing files decides does not matter here.
            long inDisk = disk.map.endOfBacking();
            return new Part(Kind.BACKING, inDisk == disk.map.size() ? disk.end() : disk.start + inDisk);
        }
        if (kind == Kind.DATA) {
            return new Part(kind, end);
        }
        // Where the backing file has ended, an open cluster reads as zero already.
        return offset >= backingSize
                ? new Part(Kind.BACKING, end)
                : new Part(kind, Math.min(end, Sectors.ceiling(backingSize)));
    }

    /** Counts the data of all disks; nothing can be asked with {@link #at} afterwards. */
    long dataBytes() throws DiskException {
        long bytes = 0;
        for (long at = 0; at < size; ) {
            Part part = at(at);
            bytes += part.kind == Kind.DATA ? part.end - at : 0;
            at = part.end;
        }
        return bytes;
    }

    /** Reads; may be called by several threads. */
    void read(long offset, ByteBuffer into) throws DiskException {
        int limit = into.limit();
        long at = offset;
        while (into.position() < limit) {
            Disk disk = disk(at);
            long there = Math.min(limit - into.position(), disk.map.size() - (at - disk.start));
            int before = into.position();
            if (there > 0) {
                into.limit(before + (int) there);
                disk.node.disk().read(at - disk.start, into);
            }
            into.limit((int) Math.min(limit, before + (disk.end() - at)));
            Sectors.putZeros(into);
            at += into.position() - before;
            into.limit(limit);
        }
    }
}
