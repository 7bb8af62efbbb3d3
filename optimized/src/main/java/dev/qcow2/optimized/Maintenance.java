package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.BackingClause.QC_BACK_06;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_21;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_24;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.AmendOptions.NewBacking;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OpenOptions.BackingPolicy;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.Optional;
import java.util.Random;

/** What is done to images while no guest uses them: commit, rebase, amend. */
final class Maintenance {

    private final HostDirectory directory;
    private final OpenOptions openOptions;
    private final OptimizedOptions options;
    private final Clock clock;

    Maintenance(HostDirectory directory, OpenOptions openOptions, OptimizedOptions options, Clock clock) {
        this.directory = directory;
        this.openOptions = openOptions.withAccess(Access.READ_WRITE);
        this.options = options;
        this.clock = clock;
    }

    private ChainOpener opener() {
        return new ChainOpener(directory, openOptions, options, clock);
    }

    RepairReport repair(String fileName, RepairMode mode) throws DiskException {
        RepairReport report;
        long incomplete;
        try (HostFile host = directory.open(fileName, Access.READ_WRITE)) {
            report = new Repair(host)
                    .run(
                            switch (mode) {
                                case LEAKS -> RepairScope.Changes.LEAKS;
                                case ALL -> RepairScope.Changes.ALL;
                            });
            ImageHeader header = HeaderReader.readForRepair(host);
            incomplete = SnapshotTable.incomplete(SnapshotTable.read(host, header), header.version());
        }
        if (incomplete == 0) {
            return report;
        }
        boolean mends = mode == RepairMode.ALL && report.clean();
        if (mends) {
            // QC-SNAP-07: by new clusters, so when all counts are right.
            try (OptimizedDisk disk = opener().openAlone(fileName)) {
                disk.prepareForVersion(3, true);
            }
        }
        return new RepairReport(
                report.corruptionsFixed() + (mends ? incomplete : 0),
                report.leaksFixed(),
                report.corruptions() + (mends ? 0 : incomplete),
                report.leaks());
    }

    void commit(String fileName) throws DiskException {
        require(
                openOptions.backing() == BackingPolicy.FOLLOW,
                fileName,
                QC_BACK_06,
                "the caller allows no backing file");
        try (OptimizedDisk overlay = opener().openAlone(fileName)) {
            ImageHeader header = overlay.header();
            require(header.backingName().isPresent(), fileName, QC_MNT_21, "there is no backing file to commit to");
            require(overlay.snapshots().isEmpty(), fileName, QC_MNT_24, "the overlay has internal snapshots");
            // Followed once, so that a chain that comes back to the overlay is refused before anything is written.
            new ChainOpener(directory, openOptions.withAccess(Access.READ_ONLY), options, clock)
                    .openDisk(fileName)
                    .close();
            String backingName =
                    directory.resolve(fileName, header.backingName().get());
            if (isRaw(backingName, header.backingFormat())) {
                try (HostFile raw = directory.open(backingName, Access.READ_WRITE)) {
                    new CommitToBacking(overlay).into(raw);
                }
            } else {
                try (OptimizedDisk backing = opener().openDisk(backingName)) {
                    new CommitToBacking(overlay).into(backing);
                }
            }
            // QC-MNT-22
            overlay.empty();
        }
    }

    private boolean isRaw(String backingName, Optional<String> format) throws DiskException {
        if (format.isPresent()) {
            return format.get().equals("raw");
        }
        try (HostFile file = directory.open(backingName, Access.READ_ONLY)) {
            ByteBuffer magic = ByteBuffer.allocate(4);
            file.readZeroPadded(0, magic);
            return magic.getInt(0) != ImageHeader.MAGIC;
        }
    }

    void rebase(String fileName, Optional<Backing> backing, RebaseMode mode) throws DiskException {
        switch (mode) {
            case SAFE -> copyUp(fileName, backing);
            case UNSAFE -> opener().openAlone(fileName).close();
        }
        try (HostFile host = directory.open(fileName, Access.READ_WRITE)) {
            // QC-MNT-26
            new BackingName(host, HeaderReader.read(host)).set(backing);
        }
    }

    private void copyUp(String fileName, Optional<Backing> backing) throws DiskException {
        try (OptimizedDisk disk = opener().openDisk(fileName)) {
            Layer future = backing.isEmpty() ? null : opener().openBacking(fileName, backing.get());
            try {
                ImageHeader header = disk.header();
                int unit = 1 << (header.clusterBits() - (header.extendedL2() ? SubclusterBits.SUBCLUSTER_BITS : 0));
                new Rebase(disk, future, unit).copyUp();
                disk.flush();
            } finally {
                if (future != null) {
                    future.close();
                }
            }
        }
    }

    /** Makes changes; keys come from a source that must be hard to guess. */
    void amend(String fileName, AmendOptions changes, Random random) throws DiskException {
        if (changes.equals(AmendOptions.NOTHING)) {
            // QC-MNT-28
            return;
        }
        // Opened once, so that a dirty image is mended or refused, as the caller says (QC-MNT-20).
        opener().openAlone(fileName).close();
        boolean needsPreparation;
        KeySlots.Ready keys;
        try (HostFile host = directory.open(fileName, Access.READ_WRITE)) {
            keys = changes.keys().isPresent()
                    ? prepared(host, fileName, changes.keys().get(), random)
                    : unused -> {};
            // QC-MNT-28: whatever may be refused is asked before the first change.
            Amendment amendment = new Amendment(host, changes);
            amendment.requirePossible();
            needsPreparation = amendment.changesVersion();
        }
        if (needsPreparation) {
            try (OptimizedDisk disk = opener().openAlone(fileName)) {
                boolean backed = changes.backing().flatMap(NewBacking::file).isPresent();
                disk.prepareForVersion(changes.version().orElse(disk.header().version()), backed);
            }
        }
        try (HostFile host = directory.open(fileName, Access.READ_WRITE)) {
            new Amendment(host, changes).run();
            keys.write(host);
        }
    }

    private KeySlots.Ready prepared(HostFile host, String fileName, KeyChange change, Random random)
            throws DiskException {
        EncryptionArea area = HeaderReader.read(host).encryption();
        return KeySlots.prepare(host, area, openOptions.secrets().of(fileName), change, random);
    }

    private static void require(boolean holds, String fileName, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(fileName, clause, reason);
        }
    }
}
