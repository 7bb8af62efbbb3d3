package dev.qcow2.conformance.img;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.disk.VirtualDisk;
import java.util.List;

/** Walks the map of a disk from its start to its end, a part at a time, so that a long map is never in memory as a whole. */
final class MapCursor {

    private static final long WINDOW = 1L << 35;

    private final VirtualDisk disk;
    private final long size;
    private List<MappedExtent> extents = List.of();
    private int index;

    MapCursor(VirtualDisk disk) throws DiskException {
        this.disk = disk;
        this.size = disk.size();
    }

    /** Returns the bytes of the disk. */
    long size() {
        return size;
    }

    /** Returns the extent that has a byte; offsets must not go down from one question to the next. */
    MappedExtent at(long offset) throws DiskException {
        while (index < extents.size() && extents.get(index).end() <= offset) {
            index++;
        }
        if (index >= extents.size()) {
            extents = load(offset);
            index = 0;
        }
        return extents.get(index);
    }

    /** Finds how far extents go on, behind the last one asked for, on which backing files decide and not the image itself. */
    long endOfBacking() {
        int last = index;
        while (last + 1 < extents.size() && extents.get(last + 1).depth() > 0) {
            last++;
        }
        return extents.get(last).end();
    }

    /** A broken entry further on must not hide what lies before it. */
    private List<MappedExtent> load(long offset) throws DiskException {
        for (long window = WINDOW; window > Sectors.BYTES; window >>= 4) {
            try {
                return disk.map(offset, Math.min(window, size - offset));
            } catch (CorruptImageException e) {
                // A shorter part may do without the broken entry.
                assert e.getMessage() != null;
            }
        }
        return disk.map(offset, Math.min(Sectors.BYTES, size - offset));
    }
}
