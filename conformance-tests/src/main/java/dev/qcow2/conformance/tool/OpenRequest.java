package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OpenOptions.BackingPolicy;
import dev.qcow2.spec.disk.OpenOptions.DataFilePolicy;
import dev.qcow2.spec.disk.OpenOptions.DirtyPolicy;

/**
 * How a command opens an image.
 *
 * @param writable whether the guest may write
 * @param backing whether backing files are opened, or taken for absent
 */
public record OpenRequest(boolean writable, boolean backing) {

    /** To read, with all backing files. */
    public static final OpenRequest READ = new OpenRequest(false, true);

    /** To write, with all backing files. */
    public static final OpenRequest WRITE = new OpenRequest(true, true);

    /** To read what the image alone says; where it leaves bytes open, they read as zero. */
    public static final OpenRequest ALONE = new OpenRequest(false, false);

    /** Names in images are followed, and dirty images repaired, since the user named the image: so QEMU does. */
    OpenOptions options(OpenOptions.Secrets secrets) {
        return new OpenOptions(
                writable ? Access.READ_WRITE : Access.READ_ONLY,
                backing ? BackingPolicy.FOLLOW : BackingPolicy.IGNORE,
                DataFilePolicy.FOLLOW,
                DirtyPolicy.REPAIR,
                secrets);
    }
}
