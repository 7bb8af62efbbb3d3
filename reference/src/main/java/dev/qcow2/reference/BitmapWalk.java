package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Counts the clusters of persistent bitmaps, or says that they can't be read. */
final class BitmapWalk {

    private record Range(long offset, long length) {}

    private BitmapWalk() {}

    /** Counts all or nothing. */
    static boolean claim(RepairPass pass, HeaderExtension found) throws DiskException {
        List<Range> ranges = new ArrayList<>();
        try {
            collect(pass, found, ranges);
        } catch (MalformedImageException e) {
            return false;
        }
        Set<HostCluster> own = new HashSet<>();
        for (Range range : ranges) {
            if (!isFree(pass, range, own)) {
                return false;
            }
        }
        for (Range range : ranges) {
            pass.claimFixed(range.offset(), range.length());
        }
        return true;
    }

    private static void collect(RepairPass pass, HeaderExtension found, List<Range> ranges) throws DiskException {
        Image image = pass.image();
        BitmapsExtension extension = BitmapsExtension.parse(image, found);
        ranges.add(new Range(extension.directoryOffset(), extension.directoryBytes()));
        for (BitmapDirectoryEntry entry : BitmapDirectoryEntry.readAll(image, extension)) {
            long bytes = (long) entry.tableEntries() * Geometry.ENTRY_BYTES;
            ranges.add(new Range(entry.tableOffset(), bytes));
            ByteBuffer table = pass.read(entry.tableOffset(), bytes);
            for (int at = 0; at < bytes; at += Geometry.ENTRY_BYTES) {
                BitmapTableEntry data = BitmapTableEntry.parse(image, entry.tableOffset() + at, table.getLong(at));
                if (data.dataOffset() != 0) {
                    ranges.add(new Range(data.dataOffset(), image.geometry().clusterSize()));
                }
            }
        }
    }

    /** Whether nothing else has the clusters of a range, nor the bitmaps themselves (QC-BM-21). */
    private static boolean isFree(RepairPass pass, Range range, Set<HostCluster> own) throws DiskException {
        Geometry geometry = pass.image().geometry();
        HostCluster first = geometry.hostCluster(range.offset());
        boolean free = pass.inFile(range.offset(), range.length());
        for (long i = 0; free && i < geometry.clustersFor(range.length()); i++) {
            free = !pass.usage().conflicts(first.plus(i), Usage.Purpose.STRUCTURE) && own.add(first.plus(i));
        }
        return free;
    }
}
