package dev.qcow2.conformance.io;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The image that the commands work on.
 *
 * @param node the open image
 * @param settings how it was opened
 * @param name as the user named it; empty if options did
 * @param tree the options that name it, for opening it again
 * @param overlay the temporary overlay that takes the changes, if there is one
 */
record OpenImage(
        OpenNode node, ImageSettings settings, Optional<String> name, ObjectNode tree, Optional<Path> overlay) {

    /** What the guest sees. */
    VirtualDisk disk() {
        return node.disk();
    }

    /** Where the image is. */
    ImageLocation location() {
        return node.location();
    }

    /** What the header says; empty if this is no qcow2 image. */
    Optional<HeaderFacts> facts() throws DiskException {
        if (!location().qcow2()) {
            return Optional.empty();
        }
        try (HostFile file = location().directory().open(location().fileName(), Access.READ_ONLY)) {
            return HeaderFacts.of(file);
        }
    }

    /** Flushes behind a write where the cache mode asks for it. */
    void settle(boolean forced) throws DiskException {
        if (forced || settings.cache().flushEachWrite()) {
            disk().flush();
        }
    }

    /** Gives the image up, and the overlay for good. */
    void close() throws DiskException {
        try {
            node.close();
        } finally {
            overlay.ifPresent(OpenImage::delete);
        }
    }

    static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // What can't be deleted is left to the host, which cleans its place for temporary files.
            file.toFile().deleteOnExit();
        }
    }
}
