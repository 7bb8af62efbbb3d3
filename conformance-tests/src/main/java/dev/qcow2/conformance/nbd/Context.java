package dev.qcow2.conformance.nbd;

import dev.qcow2.spec.disk.BlockStatus;

/** What block status can tell of a range. */
enum Context {
    /** Whether it takes space (bit 0: it does not) and whether it reads as zero (bit 1: it does). */
    BASE_ALLOCATION("base:allocation") {
        @Override
        int describe(BlockStatus status) {
            return (status.allocated() ? 0 : 1) | (status.content() == BlockStatus.Content.ZERO ? 2 : 0);
        }
    },
    /** Which image of the backing chain holds it: 1 is the image itself, 0 says that none does. */
    ALLOCATION_DEPTH("qemu:allocation-depth") {
        @Override
        int describe(BlockStatus status) {
            return status.allocated() ? status.depth() + 1 : 0;
        }
    };

    private final String wireName;

    Context(String wireName) {
        this.wireName = wireName;
    }

    String wireName() {
        return wireName;
    }

    /** The number by which answers call it. */
    int id() {
        return ordinal();
    }

    /** Says it in the bits that go over the wire. */
    abstract int describe(BlockStatus status);
}
