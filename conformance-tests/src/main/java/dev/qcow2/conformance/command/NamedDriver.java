package dev.qcow2.conformance.command;

import dev.qcow2.spec.clause.GuestClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.util.Optional;

/**
 * The same implementation under another name.
 *
 * @param name how reports and scripts call it
 * @param driver does the work
 */
record NamedDriver(String name, DiskDriver driver) implements MaintenanceDriver {

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        driver.create(directory, fileName, options);
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        return driver.open(directory, fileName, options);
    }

    private MaintenanceDriver maintenance(String fileName) throws DiskException {
        if (driver instanceof MaintenanceDriver own) {
            return own;
        }
        throw new UnsupportedFeatureException(fileName, GuestClause.QC_GUEST_01, "maintenance");
    }

    @Override
    public RepairReport repair(HostDirectory directory, String fileName, RepairMode mode, OpenOptions options)
            throws DiskException {
        return maintenance(fileName).repair(directory, fileName, mode, options);
    }

    @Override
    public void commit(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        maintenance(fileName).commit(directory, fileName, options);
    }

    @Override
    public void rebase(
            HostDirectory directory, String fileName, Optional<Backing> backing, RebaseMode mode, OpenOptions options)
            throws DiskException {
        maintenance(fileName).rebase(directory, fileName, backing, mode, options);
    }

    @Override
    public void amend(HostDirectory directory, String fileName, AmendOptions changes, OpenOptions options)
            throws DiskException {
        maintenance(fileName).amend(directory, fileName, changes, options);
    }
}
