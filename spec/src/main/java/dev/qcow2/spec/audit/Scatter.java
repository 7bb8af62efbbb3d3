package dev.qcow2.spec.audit;

import java.util.SplittableRandom;

/** Spreads offsets over the slots of a hash table in a way that an image can't foresee, so that none can slow it down. */
final class Scatter {

    private static final long SECRET = new SplittableRandom().nextLong();

    private Scatter() {}

    static int hash(long key) {
        long mixed = (key ^ SECRET) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 32)) * 0xD6E8FEB86659FD93L;
        return (int) (mixed >>> 32);
    }
}
