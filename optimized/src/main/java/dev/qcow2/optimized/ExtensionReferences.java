package dev.qcow2.optimized;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Counts the clusters that header extensions refer to: persistent bitmaps and the encryption header. */
final class ExtensionReferences {

    private static final int CHUNK_BYTES = 1 << 16;

    private final RepairScope scope;
    private final ClusterUse use;
    private final int clusterBits;

    ExtensionReferences(RepairScope scope) {
        this.scope = scope;
        this.use = scope.use();
        this.clusterBits = scope.clusterBits();
    }

    /** Counts; says no if bitmaps can't be read, and what they name looks like a leak. */
    boolean add() throws DiskException {
        encryption();
        try {
            BitmapDirectory directory = BitmapDirectory.read(scope.host(), scope.header());
            if (accepts(directory)) {
                count(directory);
                return true;
            }
        } catch (MalformedImageException e) {
            // As below: what is wrong is counted, not told.
        }
        scope.corruption();
        if (scope.mendsAll()) {
            // Bitmaps that can't be read say nothing; without the bit nobody looks at them (QC-EXT-11).
            ByteBuffer bits = ByteBuffer.allocate(8).putLong(scope.header().autoclear() & ~ImageHeader.BITMAPS);
            scope.write(ImageHeader.AUTOCLEAR_AT, bits.flip());
        }
        return scope.mendsAll();
    }

    private void encryption() throws DiskException {
        Optional<HeaderExtension> found = HeaderExtension.find(scope.host(), clusterBits, HeaderExtension.ENCRYPTION);
        if (found.isPresent() && found.get().length() == 16) {
            ByteBuffer data = found.get().data(scope.host());
            if (data.getLong(0) > 0 && data.getLong(8) > 0 && scope.inFile(data.getLong(0), data.getLong(8))) {
                use.addRange(data.getLong(0), data.getLong(8), Kind.ENCRYPTION, clusterBits);
            }
        }
    }

    /** Looks at all of the bitmaps before any is counted. */
    private boolean accepts(BitmapDirectory directory) throws DiskException {
        ClusterUse own = new ClusterUse(scope.host().name());
        return forEachCluster(directory, cluster -> {
            own.add(cluster, 1, Kind.BITMAP);
            return own.count(cluster) == 1 && use.kind(cluster) == Kind.NONE;
        });
    }

    private void count(BitmapDirectory directory) throws DiskException {
        forEachCluster(directory, cluster -> {
            use.add(cluster, 1, Kind.BITMAP);
            return true;
        });
    }

    /** Looks at a cluster of a bitmap. */
    private interface Test {
        /** Says whether it is in order. */
        boolean test(long cluster) throws DiskException;
    }

    private boolean forEachCluster(BitmapDirectory directory, Test test) throws DiskException {
        boolean good = range(directory.offset(), directory.length(), test);
        for (BitmapDirectory.Entry entry : directory.entries()) {
            good = good && range(entry.tableOffset(), 8L * entry.tableSize(), test) && tableEntries(entry, test);
        }
        return good;
    }

    private boolean range(long offset, long length, Test test) throws DiskException {
        for (long at = offset; at < offset + length; at += scope.clusterSize()) {
            if (!test.test(at >>> clusterBits)) {
                return false;
            }
        }
        return true;
    }

    private boolean tableEntries(BitmapDirectory.Entry entry, Test test) throws DiskException {
        long bytes = 8L * entry.tableSize();
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, bytes));
        for (long done = 0; done < bytes; done += chunk.capacity()) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), bytes - done));
            scope.host().readZeroPadded(entry.tableOffset() + done, chunk);
            for (int at = 0; at < chunk.limit(); at += 8) {
                if (!tableEntry(chunk.getLong(at), test)) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean tableEntry(long entry, Test test) throws DiskException {
        long offset = EntryBits.offset(entry);
        if (offset == 0) {
            // 1 says that all bits are set.
            return entry == 0 || entry == 1;
        }
        return entry == offset
                && (offset & (scope.clusterSize() - 1)) == 0
                && scope.inFile(offset, scope.clusterSize())
                && test.test(offset >>> clusterBits);
    }
}
