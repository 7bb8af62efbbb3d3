package dev.qcow2.reference;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;

/** The front door of the reference implementation. */
public final class ReferenceDriver implements DiskDriver {

    private final PlanObserver observer;

    /** Makes a driver whose plans nobody watches. */
    public ReferenceDriver() {
        this((plan, step) -> {});
    }

    /**
     * Makes a driver.
     *
     * @param observer watches the plans of the disks that are opened
     */
    public ReferenceDriver(PlanObserver observer) {
        this.observer = observer;
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        new ImageCreator(fileName, options).create(directory);
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        return new ImageOpener(directory, options, observer).open(fileName);
    }
}
