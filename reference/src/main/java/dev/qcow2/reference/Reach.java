package dev.qcow2.reference;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What an L1 table reaches: the L2 tables that it names, and the host clusters that those name. Reads only. */
final class Reach {

    private final Image image;

    Reach(Image image) {
        this.image = image;
    }

    /** Reads a whole L1 table, the active one or a snapshot's. */
    List<L1Entry> l1Table(long offset, int size) throws DiskException {
        ByteBuffer bytes = image.read(offset, size * Geometry.ENTRY_BYTES);
        List<L1Entry> entries = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            long at = offset + (long) i * Geometry.ENTRY_BYTES;
            entries.add(L1Entry.parse(image, at, bytes.getLong(i * Geometry.ENTRY_BYTES)));
        }
        return entries;
    }

    /** Reads the active L1 table. */
    List<L1Entry> activeL1() throws DiskException {
        return l1Table(image.header().l1Offset(), image.header().l1Size());
    }

    /** Reads a whole L2 table. */
    List<L2Entry> l2Table(long offset) throws DiskException {
        ByteBuffer bytes = image.read(offset, image.geometry().clusterSize());
        List<L2Entry> entries = new ArrayList<>(image.geometry().l2Entries());
        for (int i = 0; i < image.geometry().l2Entries(); i++) {
            entries.add(L2Entry.parse(image, offset + bytes.position(), bytes));
        }
        return entries;
    }

    /** Counts the references by which an L1 table reaches host clusters: its L2 tables, and what those name. */
    Map<HostCluster, Long> references(List<L1Entry> table) throws DiskException {
        Geometry geometry = image.geometry();
        Map<HostCluster, Long> references = new LinkedHashMap<>();
        for (L1Entry entry : table) {
            if (!entry.allocated()) {
                continue;
            }
            references.merge(geometry.hostCluster(entry.l2Offset()), 1L, Long::sum);
            for (L2Entry cluster : l2Table(entry.l2Offset())) {
                // QC-DATA-03: what is in a data file is not counted.
                List<HostCluster> counted = image.hasDataFile() ? List.of() : cluster.hostClusters(geometry);
                counted.forEach(host -> references.merge(host, 1L, Long::sum));
            }
        }
        return references;
    }

    /** What one table reaches more often than another, and how much more often. */
    static Map<HostCluster, Long> more(Map<HostCluster, Long> references, Map<HostCluster, Long> than) {
        Map<HostCluster, Long> more = new LinkedHashMap<>();
        references.forEach((host, count) -> {
            long surplus = count - than.getOrDefault(host, 0L);
            if (surplus > 0) {
                more.put(host, surplus);
            }
        });
        return more;
    }

    /** Refuses, before anything changes, counts that could not be lowered in the end: they don't cover what is there. */
    void requireDroppable(Map<HostCluster, Long> references) throws DiskException {
        for (Map.Entry<HostCluster, Long> reference : references.entrySet()) {
            image.countOfUsed(reference.getKey(), reference.getValue());
        }
    }

    /** Refuses, before anything changes, counts that could not be raised (QC-REF-11). */
    void requireShareable(Map<HostCluster, Long> references) throws DiskException {
        for (Map.Entry<HostCluster, Long> reference : references.entrySet()) {
            long count = image.countOfUsed(reference.getKey());
            if (count > image.geometry().highestCount() - reference.getValue()) {
                throw new RequestRefusedException(
                        image.file().name(),
                        RefcountClause.QC_REF_11,
                        "the count of " + reference.getKey() + " is " + count);
            }
        }
    }
}
