package dev.qcow2.conformance.nbd;

import dev.qcow2.conformance.nbd.Export.Trait;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.RealHostDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import picocli.CommandLine.Option;

/**
 * An image that is open.
 *
 * @param disk what is in it
 * @param implementation who works on it
 * @param traits what the image is good for
 */
record ServedImage(VirtualDisk disk, String implementation, Set<Trait> traits) {

    /** The part of the command line that is about the image. */
    static final class Options {

        @Option(names = "--impl", paramLabel = "NAME", description = "reference or optimized")
        private String implementation = "optimized";

        ServedImage open(String image, boolean readOnly) throws IOException {
            DiskDriver driver = implementation.equals("reference") ? new ReferenceDriver() : new OptimizedDriver();
            OpenOptions options = (readOnly ? OpenOptions.readOnly() : OpenOptions.readWrite())
                    .followingBacking()
                    .followingDataFile()
                    .repairingDirty();
            VirtualDisk disk = driver.open(new RealHostDirectory(Path.of("")), image, options);
            return new ServedImage(disk, implementation, Set.of(Trait.FAST_ZEROES));
        }
    }
}
