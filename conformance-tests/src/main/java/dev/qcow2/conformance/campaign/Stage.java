package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.host.HostDirectory;
import java.io.IOException;
import java.nio.file.Path;

/** The files that one implementation works on during a sequence. */
interface Stage {

    /** Where the implementation finds its files. */
    HostDirectory directory();

    /** Name of the disk's own image. */
    String imageName();

    /**
     * Writes the chain into a directory of the real host, for programs outside.
     *
     * @return the disk's own image
     */
    QemuImage exportTo(Path target) throws IOException;

    /** Adds what is needed to open the image: its backing files, its data file, its passphrase. */
    OpenOptions options(OpenOptions options);

    /** Takes the disk's own image, and its data file, back from the real host. */
    void importFrom(QemuImage image) throws IOException, DiskException;
}
