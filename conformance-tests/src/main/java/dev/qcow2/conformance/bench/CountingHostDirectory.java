package dev.qcow2.conformance.bench;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;

/**
 * A directory whose files are counted.
 *
 * @param target where the files are
 * @param counts where the counts go
 */
record CountingHostDirectory(HostDirectory target, CountingHostFile.Counts counts) implements HostDirectory {

    @Override
    public HostFile open(String fileName, Access access) throws DiskException {
        return new CountingHostFile(target.open(fileName, access), counts);
    }

    @Override
    public HostFile create(String fileName) throws DiskException {
        return new CountingHostFile(target.create(fileName), counts);
    }

    @Override
    public String resolve(String imageName, String reference) throws DiskException {
        return target.resolve(imageName, reference);
    }

    @Override
    public Object identity(String fileName) throws DiskException {
        return target.identity(fileName);
    }
}
