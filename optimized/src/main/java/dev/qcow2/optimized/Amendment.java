package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_17;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_18;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_19;
import static dev.qcow2.spec.clause.RefcountClause.QC_REF_11;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Changes what kind of image it is. All that may be refused is refused before anything is written; each change then turns
 * on one write inside the first sector of the header, which a power cut leaves as it was or as it shall be.
 */
final class Amendment {

    private static final int SECTOR = 512;
    private static final int NEW_V3_LENGTH = 112;
    private static final int WIDTH_OF_VERSION_2 = 4;
    private static final int REFCOUNT_ORDER_AT = 96;

    private final HostFile host;
    private final AmendOptions changes;
    private final Set<Long> structures = new HashSet<>();

    Amendment(HostFile host, AmendOptions changes) {
        this.host = host;
        this.changes = changes;
    }

    /** Refuses what can't be done. */
    void requirePossible() throws DiskException {
        ImageHeader header = HeaderReader.read(host);
        int version = changes.version().orElse(header.version());
        int order = changes.refcountOrder().orElse(header.refcountOrder());
        boolean isLazy = isLazy(header);
        boolean lazy = changes.lazyRefcounts().orElse(isLazy && version == 3);
        require(version == 2 || version == 3, QC_MNT_17, "there is no version " + version);
        require(order >= 0 && order <= 6, QC_MNT_19, "there is no width of order " + order);
        require(version == 3 || order == WIDTH_OF_VERSION_2, QC_MNT_17, "version 2 has counts of 16 bits only");
        require(version == 3 || !lazy, QC_MNT_17, "version 2 has no lazy refcounts");
        if (version < header.version()) {
            requireFitsVersion2(header, lazy != isLazy);
        }
        requireRoom(header, version);
        if (order != header.refcountOrder()) {
            RefcountStore counts = counts(header);
            noteStructures(counts, header);
            requireFits(counts, order, header, new TreeSet<>());
        }
    }

    /** Whether the version changes, so that the image must be made ready for that before the rest is done. */
    boolean changesVersion() throws DiskException {
        int version = HeaderReader.read(host).version();
        return changes.version().orElse(version) != version;
    }

    /** Version 2 has no zero clusters (QC-L2-08), and in version 3 each snapshot says how long the disk was (QC-SNAP-07). */
    private boolean isReady(ImageHeader header, int version) throws DiskException {
        return version == header.version()
                || (version == 2
                        ? !hasZeros(header)
                        : SnapshotTable.read(host, header).stream().allMatch(SnapshotTable.Entry::sized));
    }

    private static boolean isLazy(ImageHeader header) {
        return (header.compatible() & ImageHeader.LAZY_REFCOUNTS) != 0;
    }

    /** Makes the changes, all of which are possible. */
    void run() throws DiskException {
        requirePossible();
        ImageHeader header = HeaderReader.read(host);
        int version = changes.version().orElse(header.version());
        require(isReady(header, version), QC_MNT_17, "the image is not ready for the other version");
        int order = changes.refcountOrder().orElse(header.refcountOrder());
        boolean lazy = changes.lazyRefcounts().orElse(isLazy(header) && version == 3);
        if (changes.backing().isPresent()) {
            new BackingName(host, header).set(changes.backing().get().file());
        }
        if (version > header.version()) {
            changeVersion(header, HeaderArea.read(host, header), version);
        }
        if (order != header.refcountOrder()) {
            changeWidth(HeaderReader.read(host), order);
        }
        if (lazy != isLazy(header)) {
            changeLazy(HeaderReader.read(host), lazy);
        }
        if (version < header.version()) {
            changeVersion(header, HeaderArea.read(host, header), version);
        }
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(host.name(), clause, reason);
        }
    }

    private void requireFitsVersion2(ImageHeader header, boolean dropsLazy) throws DiskException {
        require(header.incompatible() == 0, QC_MNT_17, "the image has features that version 2 lacks");
        require(header.autoclear() == 0, QC_MNT_17, "the image has bitmaps, or a raw data file");
        long compatible = dropsLazy ? header.compatible() & ~ImageHeader.LAZY_REFCOUNTS : header.compatible();
        require(compatible == 0, QC_MNT_17, "the image has compatible feature bits");
        for (SnapshotTable.Entry snapshot : SnapshotTable.read(host, header)) {
            require(
                    snapshot.info().diskSize() == header.size(),
                    QC_MNT_17,
                    "version 2 can't say how long the disk of snapshot "
                            + snapshot.info().id() + " is");
            require(
                    snapshot.info().vmStateSize() >>> 32 == 0,
                    QC_MNT_17,
                    "version 2 can't say how long the machine state of snapshot "
                            + snapshot.info().id() + " is");
        }
    }

    private boolean hasZeros(ImageHeader header) throws DiskException {
        HostSpace space = new HostSpace(header.clusterBits(), host.size());
        return TableCensus.of(host, space, header).hasZeros();
    }

    private static int headerLength(int version) {
        return version == 2 ? ImageHeader.V2_LENGTH : NEW_V3_LENGTH;
    }

    /** Tries on a copy what the first cluster is to become, for nothing may change that can't be done to the end. */
    private void requireRoom(ImageHeader header, int version) throws DiskException {
        HostFile copy = new FirstClusterCopy(host, 1 << header.clusterBits());
        if (changes.backing().isPresent()) {
            new BackingName(copy, header).set(changes.backing().get().file());
        }
        if (version != header.version()) {
            requireRoom(header, HeaderArea.read(copy, header), version);
        }
    }

    private void requireRoom(ImageHeader header, HeaderArea area, int version) throws DiskException {
        long extensions = area.extensionsEnd() - area.extensionsStart();
        long end = headerLength(version) + extensions + 8;
        boolean smallCluster = header.clusterBits() == 9;
        require(
                end + (smallCluster ? area.nameLength() : 0) <= SECTOR,
                QC_MNT_18,
                "the header's extensions do not fit into its first sector");
        require(
                smallCluster || Math.max(area.freeAt(), SECTOR) + area.nameLength() <= 1L << header.clusterBits(),
                QC_MNT_18,
                "the backing file's name has no other place in the first cluster");
    }

    /** QC-MNT-18: the extensions move with the header's end, and the name goes out of their way before. */
    private void changeVersion(ImageHeader header, HeaderArea area, int version) throws DiskException {
        long nameAt = area.nameAt();
        ByteBuffer name = ByteBuffer.allocate(area.nameLength());
        host.readZeroPadded(nameAt, name);
        boolean apart = header.clusterBits() > 9 && nameAt > 0;
        if (apart) {
            nameAt = Math.max(area.freeAt(), SECTOR);
            host.write(nameAt, name.flip());
            host.flush();
            host.write(8, ByteBuffer.allocate(8).putLong(nameAt).flip());
            host.flush();
        }
        ByteBuffer extensions = ByteBuffer.allocate((int) (area.extensionsEnd() - area.extensionsStart()));
        host.readZeroPadded(area.extensionsStart(), extensions);
        ByteBuffer sector = ByteBuffer.allocate(SECTOR);
        host.readZeroPadded(0, sector.limit(ImageHeader.V2_LENGTH));
        sector.clear().putInt(4, version);
        if (version == 3) {
            sector.putInt(REFCOUNT_ORDER_AT, WIDTH_OF_VERSION_2).putInt(100, NEW_V3_LENGTH);
        }
        sector.position(headerLength(version)).put(extensions.flip());
        if (nameAt > 0 && !apart) {
            int at = sector.position() + 8;
            sector.putLong(8, at).position(at).put(name.flip());
        }
        host.write(0, sector.clear());
        host.flush();
    }

    private void changeLazy(ImageHeader header, boolean lazy) throws DiskException {
        long others = header.compatible() & ~ImageHeader.LAZY_REFCOUNTS;
        long bits = lazy ? others | ImageHeader.LAZY_REFCOUNTS : others;
        host.write(
                ImageHeader.COMPATIBLE_AT, ByteBuffer.allocate(8).putLong(bits).flip());
        host.flush();
    }

    private void changeWidth(ImageHeader header, int order) throws DiskException {
        RefcountStore old = counts(header);
        noteStructures(old, header);
        NavigableSet<Long> ranges = new TreeSet<>();
        long used = new HostSpace(header.clusterBits(), host.size()).usedClusters();
        long first = Math.max(used, requireFits(old, order, header, ranges));
        RefcountRebuild rebuild = new RefcountRebuild(host, header.clusterBits(), order, first, ranges);
        rebuild.write(cluster -> countWithout(old, cluster));
        switchTable(rebuild, order);
    }

    private RefcountStore counts(ImageHeader header) throws DiskException {
        HostSpace space = new HostSpace(header.clusterBits(), host.size());
        return new RefcountStore(
                host,
                space,
                new StructureMap(host, header),
                header,
                CacheBudget.atDepth(0).refcountBytes(),
                null);
    }

    private void noteStructures(RefcountStore old, ImageHeader header) throws DiskException {
        long table = header.refcountTableOffset() >>> header.clusterBits();
        for (int i = 0; i < header.refcountTableClusters(); i++) {
            structures.add(table + i);
        }
        for (int index = 0; index < old.table().entries(); index++) {
            structures.add(old.blockCluster(index));
        }
        // The header's cluster stands for blocks that are not there.
        structures.remove(0L);
    }

    /** Refuses if a count does not fit; notes which ranges have any, and returns the first cluster behind the last. */
    private long requireFits(RefcountStore old, int order, ImageHeader header, NavigableSet<Long> ranges)
            throws DiskException {
        int newBlockBits = header.clusterBits() + 3 - order;
        long maximum = RefcountBits.maximum(order);
        long end = 0;
        for (long index = 0; index < old.table().entries(); index++) {
            long start = index << old.blockBits();
            for (long cluster = start; old.hasBlock(start) && cluster < start + (1L << old.blockBits()); cluster++) {
                long count = countWithout(old, cluster);
                if (count != 0) {
                    require(
                            Long.compareUnsigned(count, maximum) <= 0,
                            QC_REF_11,
                            "cluster " + cluster + " has the count " + Long.toUnsignedString(count));
                    ranges.add(cluster >>> newBlockBits);
                    end = cluster + 1;
                }
            }
        }
        return end;
    }

    /** The count of a cluster, without the old structures, which nobody will refer to. */
    private long countWithout(RefcountStore old, long cluster) throws DiskException {
        return structures.contains(cluster) ? 0 : old.count(cluster);
    }

    /** QC-MNT-19: the new table and its width in one write. */
    private void switchTable(RefcountRebuild rebuild, int order) throws DiskException {
        int from = ImageHeader.REFCOUNT_TABLE_AT;
        ByteBuffer fields = ByteBuffer.allocate(REFCOUNT_ORDER_AT + 4 - from);
        host.readZeroPadded(from, fields);
        fields.putLong(0, rebuild.tableOffset())
                .putInt(8, rebuild.tableClusters())
                .putInt(REFCOUNT_ORDER_AT - from, order);
        host.write(from, fields.rewind());
        host.flush();
    }
}
