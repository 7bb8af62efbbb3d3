package dev.qcow2.conformance.hostile;

import dev.qcow2.spec.host.MemoryHostDirectory;

/**
 * A file that a stranger made, and the files beside it.
 *
 * @param name says what is wrong with it
 * @param directory holds it; independent of any other image's
 * @param fileName its name there
 */
public record HostileImage(String name, MemoryHostDirectory directory, String fileName) {

    /**
     * Returns the same image in a directory of its own, so that requests leave this one as it is.
     *
     * @return an independent copy
     */
    public HostileImage copy() {
        return new HostileImage(name, directory.copy(), fileName);
    }
}
