package dev.qcow2.conformance.nbd;

import dev.qcow2.spec.disk.BlockStatus;

/** What block status can tell of a range. */
enum Context {
    /**
     * Bit 0 says that it is a hole, bit 1 that it reads as zero. What is known to be zero counts as a hole, whether or not an image
     * says so itself or still has a host cluster there: so QEMU's server tells it too.
     */
    BASE_ALLOCATION("base:allocation") {
        @Override
        int describe(BlockStatus status) {
            return status.content() == BlockStatus.Content.ZERO ? HOLE | ZERO : 0;
        }
    },
    /** Which image of the backing chain holds it: 1 is the image itself, 0 says that none does. */
    ALLOCATION_DEPTH("qemu:allocation-depth") {
        @Override
        int describe(BlockStatus status) {
            return status.allocated() ? status.depth() + 1 : 0;
        }
    };

    private static final int HOLE = 1;
    private static final int ZERO = 2;

    private final String wireName;

    Context(String wireName) {
        this.wireName = wireName;
    }

    String wireName() {
        return wireName;
    }

    /** The number by which answers call it. */
    @SuppressWarnings("EnumOrdinal") // any number will do that is this context's alone while a client is there
    int id() {
        return ordinal();
    }

    /** Says it in the bits that go over the wire. */
    abstract int describe(BlockStatus status);
}
