package dev.qcow2.spec.disk;

import dev.qcow2.spec.host.HostDirectory;

/**
 * An implementation of qcow2, as the kit drives it.
 */
public interface DiskDriver {

    /**
     * Returns the name under which reports list this implementation.
     *
     * @return a short name, for instance {@code reference}
     */
    String name();

    /**
     * Creates an image; an existing file of that name is replaced.
     *
     * @param directory where files live
     * @param fileName the image's name in it
     * @param options what the image is like
     * @throws DiskException if the host fails, or the options exceed a limit of this implementation
     */
    void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException;

    /**
     * Opens an image and, if the options permit it, its backing chain.
     *
     * @param directory where files live
     * @param fileName the image's name in it
     * @param options access and policy
     * @return the open disk
     * @throws DiskException if the image is malformed, uses a feature that is not supported, is
     *     refused by policy, or the host fails
     */
    VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException;
}
