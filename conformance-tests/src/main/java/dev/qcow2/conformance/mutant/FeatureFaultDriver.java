package dev.qcow2.conformance.mutant;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.util.Optional;

/** The reference implementation behind a wrapper that errs in one place, or in none. */
final class FeatureFaultDriver implements DiskDriver {

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
}
