package dev.qcow2.conformance.nbd;

import dev.qcow2.spec.disk.VirtualDisk;
import java.util.EnumSet;
import java.util.Set;

/**
 * A disk as clients see it.
 *
 * @param name by which clients ask for it; empty is the default
 * @param description for people
 * @param disk what is behind it
 * @param sizeBytes of the disk
 * @param traits what it can do, and how
 */
record Export(String name, String description, VirtualDisk disk, long sizeBytes, Set<Trait> traits) {

    /** What an export can do, and how. */
    enum Trait {
        /** Changes are refused. */
        READ_ONLY,
        /** Several clients at the same time: a flush of one covers what the others were told is done, for there is one disk. */
        SEVERAL_CLIENTS,
        /** Ranges are zeroed without writing zeros. */
        FAST_ZEROES,
        /** A write is answered when it is safe from a power cut. */
        WRITE_THROUGH,
        /** A trim does nothing. */
        IGNORE_TRIM,
        /** Block status tells which image of the chain holds a range. */
        ALLOCATION_DEPTH
    }

    private static final int HAS_FLAGS = 1;
    private static final int READ_ONLY = 1 << 1;
    private static final int SEND_FLUSH = 1 << 2;
    private static final int SEND_FUA = 1 << 3;
    private static final int SEND_TRIM = 1 << 5;
    private static final int SEND_WRITE_ZEROES = 1 << 6;
    private static final int SEND_DF = 1 << 7;
    private static final int CAN_MULTI_CONN = 1 << 8;
    private static final int SEND_CACHE = 1 << 10;
    private static final int SEND_FAST_ZERO = 1 << 11;

    boolean is(Trait trait) {
        return traits.contains(trait);
    }

    /** The transmission flags, which tell clients what they may send. */
    short flags() {
        int flags = HAS_FLAGS | SEND_FLUSH | SEND_FUA | SEND_DF | SEND_CACHE;
        flags |= is(Trait.READ_ONLY) ? READ_ONLY : SEND_TRIM | SEND_WRITE_ZEROES | SEND_FAST_ZERO;
        flags |= is(Trait.SEVERAL_CLIENTS) ? CAN_MULTI_CONN : 0;
        return (short) flags;
    }

    /** What block status can tell of it. */
    Set<Context> contexts() {
        return is(Trait.ALLOCATION_DEPTH) ? EnumSet.allOf(Context.class) : EnumSet.of(Context.BASE_ALLOCATION);
    }
}
