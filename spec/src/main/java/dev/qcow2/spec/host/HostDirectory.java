package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;

/** Where files live: finds, opens and creates them by name. */
public interface HostDirectory {

    /**
     * Opens a file that exists.
     *
     * @param fileName a name as {@link #resolve} returns it, or as the user gave it
     * @param access read-only files refuse every change
     * @return the open file
     * @throws DiskException if there is no such file, or the host refuses
     */
    HostFile open(String fileName, Access access) throws DiskException;

    /**
     * Creates an empty file, in place of an existing one.
     *
     * @param fileName a name as {@link #resolve} returns it, or as the user gave it
     * @return the open file
     * @throws DiskException if the host refuses
     */
    HostFile create(String fileName) throws DiskException;

    /**
     * Finds the file that an image names (QC-BACK-03).
     *
     * @param imageName the image that holds the name
     * @param reference the name as it stands in the image
     * @return an absolute reference as it is; a relative one in the directory of the image
     * @throws DiskException if the reference can't be a file name on this host
     */
    String resolve(String imageName, String reference) throws DiskException;

    /**
     * Returns what two names of one and the same file have in common, so that loops can be found
     * (QC-BACK-04).
     *
     * @param fileName a name as {@link #resolve} returns it
     * @return an identity with value equality
     * @throws DiskException if the host refuses
     */
    Object identity(String fileName) throws DiskException;
}
