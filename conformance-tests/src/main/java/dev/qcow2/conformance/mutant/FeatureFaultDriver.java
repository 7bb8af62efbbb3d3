package dev.qcow2.conformance.mutant;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.util.Optional;

/** The reference implementation behind a wrapper that errs in one place, or in none. */
final class FeatureFaultDriver implements MaintenanceDriver {

    private final ReferenceDriver right = new ReferenceDriver();
    private final Optional<FeatureFault> fault;

    FeatureFaultDriver(Optional<FeatureFault> fault) {
        this.fault = fault;
    }

    @Override
    public String name() {
        return "reference with " + fault.map(FeatureFault::name).orElse("no fault");
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        right.create(directory, fileName, options);
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        boolean unasked = fault.equals(Optional.of(FeatureFault.DATA_FILE_OPENED_UNASKED));
        VirtualDisk disk = right.open(directory, fileName, unasked ? options.followingDataFile() : options);
        return new FeatureFaultDisk(disk, fault, directory, fileName);
    }

    @Override
    public RepairReport repair(HostDirectory directory, String fileName, RepairMode mode, OpenOptions options)
            throws DiskException {
        return right.repair(directory, fileName, mode, options);
    }

    @Override
    public void commit(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        right.commit(directory, fileName, options);
    }

    @Override
    public void rebase(
            HostDirectory directory, String fileName, Optional<Backing> backing, RebaseMode mode, OpenOptions options)
            throws DiskException {
        right.rebase(directory, fileName, backing, mode, options);
    }

    @Override
    public void amend(HostDirectory directory, String fileName, AmendOptions changes, OpenOptions options)
            throws DiskException {
        right.amend(directory, fileName, changes, options);
        if (fault.isPresent()) {
            try (HostFile file = directory.open(fileName, Access.READ_WRITE)) {
                StoredFaults.amend(fault.get(), file);
            }
        }
    }
}
