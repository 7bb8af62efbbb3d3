package dev.qcow2.reference;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Counts which structures of the image lie in a host cluster. A broken entry, or a count that is too low, makes a table
 * look like the guest's or like free space: who is about to write to a cluster, to take it or to give it back asks here
 * first (QC-REF-16). Reads the file each time. L2 tables that only snapshots reach are not looked for.
 */
final class Occupants {

    /** What a long table is read in. */
    private static final int PIECE = 64 << 10;

    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
    private static final int LUKS_METHOD = 2;

    private final Image image;

    Occupants(Image image) {
        this.image = image;
    }

    /** Hears of a structure. */
    @FunctionalInterface
    private interface Visitor {
        void visit(long hostOffset, long bytes);
    }

    /** Refuses clusters that are to be the guest's or nobody's, if one of them holds a structure. */
    void requireNone(HostCluster first, long clusters) throws DiskException {
        if (countIn(first, clusters, true) != 0) {
            throw corrupt(first);
        }
    }

    /** Refuses to take so many references from each cluster, if one of them would become free and holds a structure. */
    void requireFreeable(Map<HostCluster, Long> references) throws DiskException {
        Set<HostCluster> clusters = new HashSet<>();
        for (Map.Entry<HostCluster, Long> reference : references.entrySet()) {
            if (image.count(reference.getKey()) == reference.getValue()) {
                clusters.add(reference.getKey());
            }
        }
        if (clusters.isEmpty()) {
            return;
        }
        int bits = image.geometry().clusterBits();
        Set<HostCluster> hit = new HashSet<>();
        visitAll((offset, bytes) -> {
            if (bytes == 0) {
                return;
            }
            long first = offset >>> bits;
            long last = (offset + bytes - 1) >>> bits;
            if (last - first > clusters.size()) {
                clusters.stream()
                        .filter(host -> host.index() >= first && host.index() <= last)
                        .forEach(hit::add);
                return;
            }
            for (long index = first; index <= last; index++) {
                HostCluster host = new HostCluster(index);
                if (clusters.contains(host)) {
                    hit.add(host);
                }
            }
        });
        if (!hit.isEmpty()) {
            throw corrupt(hit.iterator().next());
        }
    }

    /** Refuses to change an active L2 table or a refcount block, if its cluster holds anything else. */
    void requireSingle(long hostOffset) throws DiskException {
        HostCluster host = image.geometry().hostCluster(hostOffset);
        if (countIn(host, 1, true) > 1) {
            throw corrupt(host);
        }
    }

    /** Refuses to change an L2 table, which several L1 tables may share, if its cluster holds anything but L2 tables. */
    void requireL2Only(long hostOffset) throws DiskException {
        HostCluster host = image.geometry().hostCluster(hostOffset);
        if (countIn(host, 1, false) != 0) {
            throw corrupt(host);
        }
    }

    private CorruptImageException corrupt(HostCluster host) {
        String found = "a cluster with a table of the image, and another use";
        long offset = image.geometry().hostOffset(host);
        return image.corrupt(RefcountClause.QC_REF_16, offset, found, "one use for each cluster");
    }

    private int countIn(HostCluster first, long clusters, boolean withL2) throws DiskException {
        long from = image.geometry().hostOffset(first);
        long to = image.geometry().hostOffset(first.plus(clusters));
        int[] found = {0};
        Visitor counter = (offset, bytes) -> found[0] += bytes > 0 && offset < to && offset + bytes > from ? 1 : 0;
        visitFixed(counter);
        if (withL2) {
            visitL2Tables(counter);
        }
        return found[0];
    }

    private void visitAll(Visitor visitor) throws DiskException {
        visitFixed(visitor);
        visitL2Tables(visitor);
    }

    private void visitL2Tables(Visitor visitor) throws DiskException {
        visitNamed(image.header().l1Offset(), bytesOf(image.header().l1Size()), visitor);
    }

    /** All but L2 tables. */
    private void visitFixed(Visitor visitor) throws DiskException {
        Header header = image.header();
        visitor.visit(0, 1);
        visitor.visit(header.l1Offset(), bytesOf(header.l1Size()));
        long refcountTableBytes = bytesOf(header.refcountTableEntries());
        visitor.visit(header.refcountTableOffset(), refcountTableBytes);
        visitNamed(header.refcountTableOffset(), refcountTableBytes, visitor);
        if (header.snapshotCount() != 0) {
            SnapshotTable table = SnapshotTable.read(image);
            visitor.visit(header.snapshotsOffset(), table.lengthInBytes());
            long fileSize = image.file().size();
            for (SnapshotEntry snapshot : table.entries()) {
                long bytes = bytesOf(snapshot.l1Size());
                // A snapshot that is broken is refused when it is used; until then it takes nothing from the disk.
                if (bytes > 0 && snapshot.l1Offset() > 0 && snapshot.l1Offset() <= fileSize - bytes) {
                    visitor.visit(snapshot.l1Offset(), bytes);
                }
            }
        }
        visitExtensions(visitor);
    }

    private static long bytesOf(long entries) {
        return entries * Geometry.ENTRY_BYTES;
    }

    private void visitNamed(long tableOffset, long tableBytes, Visitor visitor) throws DiskException {
        for (long at = 0; at < tableBytes; at += PIECE) {
            ByteBuffer entries = image.read(tableOffset + at, (int) Math.min(PIECE, tableBytes - at));
            while (entries.hasRemaining()) {
                long named = entries.getLong() & OFFSET;
                if (named != 0) {
                    visitor.visit(named, image.geometry().clusterSize());
                }
            }
        }
    }

    private void visitExtensions(Visitor visitor) throws DiskException {
        boolean luks = image.header().cryptMethod() == LUKS_METHOD;
        boolean bitmaps = (image.header().autoclear() & BitmapsExtension.AUTOCLEAR_BIT) != 0;
        if (!luks && !bitmaps) {
            return;
        }
        for (HeaderExtension extension : HeaderExtension.list(image.file(), image.header())) {
            if (luks && extension.type() == HeaderExtension.CRYPTO_HEADER) {
                ByteBuffer place = extension.data(image.file());
                visitor.visit(place.getLong(0), place.getLong(8));
            } else if (bitmaps && extension.type() == BitmapsExtension.TYPE) {
                BitmapsExtension directory = BitmapsExtension.parse(image, extension);
                visitor.visit(directory.directoryOffset(), directory.directoryBytes());
            }
        }
    }
}
