package dev.qcow2.conformance.support;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import java.util.List;

/**
 * A row of the support table: a kind of image, and what is done to it beyond common writes.
 *
 * @param name the group of features that shares a line of the table, a colon, and the kind
 * @param options how we make it
 * @param qemuOptions how {@code qemu-img create} makes it: further arguments
 * @param ours what our implementation does to an open disk beyond common writes
 * @param closed what our implementation does to the image while no disk is open
 * @param qemu what QEMU does to the image beyond common writes
 */
record Feature(
        String name,
        CreateOptions options,
        List<String> qemuOptions,
        OurPart ours,
        ClosedPart closed,
        ClosedPart qemu) {

    /** Something that our implementation does to an open disk. */
    @FunctionalInterface
    interface OurPart {
        void perform(Workshop workshop, VirtualDisk disk) throws Exception;
    }

    /** Something that is done to a closed image, by QEMU's programs or by ours. */
    @FunctionalInterface
    interface ClosedPart {
        void perform(Workshop workshop) throws Exception;
    }

    /** A row for a kind of image that common writes already use. */
    static Feature of(String name, CreateOptions options, String... qemuOptions) {
        return new Feature(name, options, List.of(qemuOptions), (workshop, disk) -> {}, workshop -> {}, workshop -> {});
    }

    /** The same row with more that is done. */
    Feature with(OurPart ourPart, ClosedPart qemuPart) {
        return new Feature(name, options, qemuOptions, ourPart, closed, qemuPart);
    }

    /** The same row with something that is done to the closed image by either side. */
    Feature withMaintenance(ClosedPart ourPart, ClosedPart qemuPart) {
        return new Feature(name, options, qemuOptions, ours, ourPart, qemuPart);
    }

    String group() {
        return name.substring(0, name.indexOf(": "));
    }

    String kind() {
        return name.substring(name.indexOf(": ") + 2);
    }

    @Override
    public String toString() {
        return name;
    }
}
