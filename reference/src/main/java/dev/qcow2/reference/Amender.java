package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import java.nio.ByteBuffer;

/**
 * Changes what kind of image it is. All that could stand against it is asked before anything is written; each change is
 * then one write of the header, so after a power cut the image is of the old kind or of the new one. What version 2 has no
 * entry for is replaced before, by what reads the same.
 */
final class Amender {

    private static final int COMPATIBLE_FIELD = 80;

    private final Image image;
    private final Resolver resolver;
    private final ImageWriter writer;
    private final PlanObserver observer;

    Amender(Image image, Resolver resolver, PlanObserver observer) {
        this.image = image;
        this.resolver = resolver;
        this.writer = new ImageWriter(image, resolver, observer);
        this.observer = observer;
    }

    /** Makes the changes; nothing is written if there are none (QC-MNT-28). */
    void amend(AmendOptions changes) throws DiskException {
        Header header = image.header();
        int version = changes.version().orElse(header.version());
        int order = changes.refcountOrder().orElse(header.refcountOrder());
        boolean lazyNow = (header.compatible() & FeatureBits.LAZY_REFCOUNTS) != 0;
        boolean lazy = changes.lazyRefcounts().orElse(version > 2 && lazyNow);
        if (version < 2 || version > 3 || order < 0 || order > 6) {
            throw new IllegalArgumentException("no such version or width: " + changes);
        }
        require(version > 2 || !lazy, HeaderClause.QC_HDR_22, "version 2 has no lazy refcounts");
        require(version > 2 || order == 4, HeaderClause.QC_HDR_13, "version 2 has 16-bit counts only");
        HeaderArea renamed = requireRoom(changes, version);
        boolean sameName = renamed.equals(HeaderArea.of(image));
        if (version == header.version() && order == header.refcountOrder() && lazy == lazyNow && sameName) {
            return;
        }
        if (version < header.version()) {
            requireNothingOfVersion3();
        }
        if (order != header.refcountOrder()) {
            CountCheck unused = new Repair(image, observer).requireWidth(order);
        }
        ImageOpener.clearAutoclear(image);
        if (!sameName) {
            rewrite("the backing file", renamed);
        }
        if (version > header.version()) {
            upgrade();
        }
        if (order != header.refcountOrder()) {
            new Repair(image, observer).changeWidth(order);
        }
        if (lazy != lazyNow && version > 2) {
            long others = image.header().compatible() & ~FeatureBits.LAZY_REFCOUNTS;
            long bits = others | (lazy ? FeatureBits.LAZY_REFCOUNTS : 0);
            rewrite("compatible_features", HeaderArea.of(image).with(COMPATIBLE_FIELD, bits));
        }
        if (version < header.version()) {
            new ZeroRemover(image, writer).run();
            rewrite("version 2", HeaderArea.of(image).asVersion2());
        }
    }

    /** The header with the new backing file, if there is one; it must fit now and with the other version. */
    private HeaderArea requireRoom(AmendOptions changes, int version) throws DiskException {
        HeaderArea renamed = changes.backing().isPresent()
                ? new BackingChanger(image, resolver, observer)
                        .renamed(changes.backing().get().file())
                : HeaderArea.of(image);
        int cluster = image.geometry().clusterSize();
        // Encoding refuses what does not fit in the first cluster.
        requireFits(renamed, cluster);
        if (version > image.header().version()) {
            requireFits(renamed.asVersion3(cluster), cluster);
        }
        return renamed;
    }

    private static void requireFits(HeaderArea area, int clusterSize) throws DiskException {
        ByteBuffer unused = area.encode(clusterSize);
    }

    private void rewrite(String what, HeaderArea area) throws DiskException {
        writer.apply(area.plan(what, image.geometry().clusterSize()));
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(image.file().name(), clause, reason);
        }
    }

    /** QC-MNT-18: snapshots get the sizes that version 3 demands first; version 2 ignores them. */
    private void upgrade() throws DiskException {
        HeaderArea area = HeaderArea.of(image).asVersion3(image.geometry().clusterSize());
        ByteBuffer unused = area.encode(image.geometry().clusterSize());
        SnapshotTable old = SnapshotTable.read(image);
        SnapshotTable complete = old.withSizes(image.header().diskSize());
        if (!complete.equals(old)) {
            complete.requireWithinLimits(image);
            writer.makeCountable(image.geometry().clustersFor(complete.lengthInBytes()));
            writer.apply(writer.snapshots().replace(complete, old));
            area = HeaderArea.of(image).asVersion3(image.geometry().clusterSize());
        }
        rewrite("version 3", area);
    }

    /** QC-MNT-17. */
    private void requireNothingOfVersion3() throws DiskException {
        Header header = image.header();
        Clause clause = MaintenanceClause.QC_MNT_17;
        require(header.incompatible() == 0, clause, "features in use: 0x" + Long.toHexString(header.incompatible()));
        require(header.autoclear() == 0, clause, "bitmaps or other features of version 3 are in use");
        for (SnapshotEntry entry : SnapshotTable.read(image).entries()) {
            SnapshotInfo info = entry.info(header.diskSize());
            require(info.diskSize() == header.diskSize(), clause, "snapshot " + info.id() + " has another size");
            require(info.vmStateSize() >>> 32 == 0, clause, "snapshot " + info.id() + " has a large machine state");
        }
        new ZeroRemover(image, writer).requirePossible();
    }
}
