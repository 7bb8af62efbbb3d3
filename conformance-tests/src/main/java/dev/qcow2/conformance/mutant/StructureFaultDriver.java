package dev.qcow2.conformance.mutant;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.layout.HeaderLayout;
import java.util.Optional;

/** A right implementation above a host that errs in one place. */
final class StructureFaultDriver implements MaintenanceDriver {

    private final StructureFault fault;
    private final DiskDriver right;

    StructureFaultDriver(StructureFault fault) {
        this.fault = fault;
        this.right = switch (fault.base()) {
            case EAGER -> new ReferenceDriver();
            case LATE -> new OptimizedDriver();
            case SMALL -> new MutantDriver();
        };
    }

    @Override
    public String name() {
        return right.name() + " with " + fault;
    }

    boolean knowsBitmaps() {
        return fault.base() != StructureFault.Base.SMALL;
    }

    private MaintenanceDriver whole() {
        return (MaintenanceDriver) right;
    }

    private WrappingHostDirectory<ErringFile> erring(HostDirectory directory) {
        return new WrappingHostDirectory<>(directory, file -> new ErringFile(file, file.name(), fault));
    }

    /** A request of maintenance, during which the files err. */
    private WrappingHostDirectory<ErringFile> erringNow(HostDirectory directory) {
        return new WrappingHostDirectory<>(directory, file -> {
            ErringFile wrong = new ErringFile(file, file.name(), fault);
            wrong.erring(true);
            return wrong;
        });
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        right.create(directory, fileName, options);
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        if (options.writable()) {
            try (HostFile file = directory.open(fileName, Access.READ_WRITE)) {
                StoredBitmaps stored = new StoredBitmaps(file);
                if (fault == StructureFault.BITMAP_IN_USE_TRUSTED) {
                    stored.clearMarks();
                } else if (fault == StructureFault.BITMAP_BIT_IGNORED) {
                    stored.setBit();
                }
            }
        }
        WrappingHostDirectory<ErringFile> files = erring(directory);
        return new StructureFaultDisk(right.open(files, fileName, options), fault, files);
    }

    @Override
    public RepairReport repair(HostDirectory directory, String fileName, RepairMode mode, OpenOptions options)
            throws DiskException {
        return whole().repair(directory, fileName, mode, options);
    }

    @Override
    public void commit(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        whole().commit(erringNow(directory), fileName, options);
    }

    @Override
    public void rebase(
            HostDirectory directory, String fileName, Optional<Backing> backing, RebaseMode mode, OpenOptions options)
            throws DiskException {
        whole().rebase(erringNow(directory), fileName, backing, mode, options);
        if (fault == StructureFault.REBASE_IGNORES_END && mode == RebaseMode.SAFE && backing.isPresent()) {
            long end;
            try (HostFile file = directory.open(backing.get().name(), Access.READ_ONLY)) {
                end = file.size();
            }
            try (VirtualDisk disk = right.open(directory, fileName, options)) {
                if (end < disk.size()) {
                    disk.discard(end, disk.size() - end);
                }
            }
        }
    }

    @Override
    public void amend(HostDirectory directory, String fileName, AmendOptions changes, OpenOptions options)
            throws DiskException {
        whole().amend(erringNow(directory), fileName, changes, options);
        if (fault == StructureFault.WIDTH_NOT_COUNTED && changes.refcountOrder().equals(Optional.of(4))) {
            uncount(directory, fileName, HeaderLayout.REFCOUNT_TABLE_OFFSET.offset());
        }
    }

    /** Takes the count of the table that a field of the header names; the counts have 16 bits. */
    static void uncount(HostDirectory directory, String fileName, long field) throws DiskException {
        try (HostFile file = directory.open(fileName, Access.READ_WRITE)) {
            StoredTables tables = new StoredTables(file, false);
            tables.addToCount(tables.number(field) / StructureScene.SMALL_CLUSTER, -1);
        }
    }
}
