package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;

/**
 * An open image.
 *
 * @param location where it is
 * @param disk what the guest sees
 * @param writable whether the guest may write
 */
public record OpenNode(ImageLocation location, VirtualDisk disk, boolean writable) implements AutoCloseable {

    @Override
    public void close() throws DiskException {
        disk.close();
    }
}
