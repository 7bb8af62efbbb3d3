package dev.qcow2.conformance.tool;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.spec.host.HostDirectory;

/**
 * Where an image is: what an implementation needs to open it.
 *
 * @param directory finds the image, its backing files and its data file
 * @param fileName the image's name in that directory
 * @param format {@code qcow2}, {@code raw}, or the name of a protocol that was opened without a format
 * @param probed whether the format was guessed from the first bytes
 * @param options the tree that led here
 */
public record ImageLocation(
        HostDirectory directory, String fileName, String format, boolean probed, ObjectNode options) {

    /**
     * Says whether this is a qcow2 image.
     *
     * @return false for anything whose bytes are the disk's bytes
     */
    public boolean qcow2() {
        return format.equals("qcow2");
    }
}
