package dev.qcow2.reference;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/** The bytes of an image, the means to spoil them, and a list of the guest clusters whose own entries were spoilt. */
final class DamagedImage {

    /** What is spoilt. */
    enum Damage {
        COUNT_RAISED,
        COUNT_LOWERED,
        FREE_CLUSTER_COUNTED,
        COPIED_TOGGLED,
        L1_COPIED_TOGGLED,
        ENTRY_RESERVED_BITS,
        ENTRY_MISALIGNED,
        ENTRY_OUTSIDE,
        ENTRY_ON_METADATA,
        ENTRY_GARBAGE,
        L1_RESERVED_BITS,
        L1_MISALIGNED,
        L1_OUTSIDE,
        L1_GARBAGE,
        BLOCK_GARBAGE,
        BLOCK_DROPPED,
        BLOCK_MISALIGNED,
        BLOCK_OUTSIDE,
        BLOCK_ON_L1,
        TABLE_OUTSIDE,
        TABLE_ON_L1
    }

    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

    private final byte[] bytes;
    private final ByteBuffer buffer;
    private final ByteBuffer pristine;
    private final BitSet lost = new BitSet();
    private final Random random;
    private final int clusterBits;

    DamagedImage(byte[] original, Random random) {
        this.clusterBits = ByteBuffer.wrap(original).getInt(20);
        // Two clusters more, so that some are free.
        this.bytes = Arrays.copyOf(original, original.length + (2 << clusterBits));
        this.buffer = ByteBuffer.wrap(bytes);
        this.pristine = ByteBuffer.wrap(bytes.clone());
        this.random = random;
    }

    byte[] bytes() {
        return bytes;
    }

    /** Guest clusters whose bytes may have become zeros. */
    BitSet lost() {
        return lost;
    }

    private int clusterSize() {
        return 1 << clusterBits;
    }

    private int l1() {
        return (int) pristine.getLong(40);
    }

    private int at(List<Integer> places) {
        return places.get(random.nextInt(places.size()));
    }

    private List<Integer> usedL1Entries() {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < pristine.getInt(36); i++) {
            if (pristine.getLong(l1() + 8 * i) != 0) {
                found.add(i);
            }
        }
        return found;
    }

    /** A place of an L2 entry of the active disk with a host cluster; its guest cluster is noted as lost on demand. */
    private int usedL2Entry(boolean loses) {
        List<Integer> places = new ArrayList<>();
        List<Integer> guests = new ArrayList<>();
        for (int i : usedL1Entries()) {
            int table = (int) (pristine.getLong(l1() + 8 * i) & OFFSET);
            for (int j = 0; j < clusterSize() / 8; j++) {
                if ((pristine.getLong(table + 8 * j) & OFFSET) != 0) {
                    places.add(table + 8 * j);
                    guests.add(i * clusterSize() / 8 + j);
                }
            }
        }
        int chosen = random.nextInt(places.size());
        if (loses) {
            lost.set(guests.get(chosen));
        }
        return places.get(chosen);
    }

    private int usedL1Entry(boolean loses) {
        int index = at(usedL1Entries());
        if (loses) {
            int first = index * clusterSize() / 8;
            lost.set(first, first + clusterSize() / 8);
        }
        return l1() + 8 * index;
    }

    private int table() {
        return (int) pristine.getLong(48);
    }

    private int block() {
        return (int) pristine.getLong(table());
    }

    /** Changes the 16-bit count of a cluster that is, or is not, in use. */
    private void count(boolean used, int change) {
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < Math.min(bytes.length / clusterSize(), clusterSize() / 2); i++) {
            if ((pristine.getShort(block() + 2 * i) != 0) == used) {
                places.add(block() + 2 * i);
            }
        }
        if (!places.isEmpty()) {
            int place = at(places);
            buffer.putShort(place, (short) Math.max(0, buffer.getShort(place) + change));
        }
    }

    private void entry(int place, long set) {
        buffer.putLong(place, buffer.getLong(place) | set);
    }

    private void replaceOffset(int place, long offset) {
        buffer.putLong(place, (buffer.getLong(place) & ~OFFSET) | offset);
    }

    /** Spoils something; the image has 16-bit counts and version 3. */
    void spoil(Damage damage) {
        long outside = ((bytes.length >>> clusterBits) + 5L) << clusterBits;
        switch (damage) {
            case COUNT_RAISED -> count(true, 1 + random.nextInt(3));
            case COUNT_LOWERED -> count(true, -1);
            case FREE_CLUSTER_COUNTED -> count(false, 1 + random.nextInt(3));
            case COPIED_TOGGLED -> toggle(usedL2Entry(false));
            case L1_COPIED_TOGGLED -> toggle(usedL1Entry(false));
            case ENTRY_RESERVED_BITS -> entry(usedL2Entry(false), 1L << (random.nextBoolean() ? 57 : 5));
            case ENTRY_MISALIGNED -> entry(usedL2Entry(true), clusterSize() / 2);
            case ENTRY_OUTSIDE -> replaceOffset(usedL2Entry(true), outside);
            case ENTRY_ON_METADATA -> replaceOffset(usedL2Entry(true), l1());
            case ENTRY_GARBAGE -> buffer.putLong(usedL2Entry(true), random.nextLong());
            case L1_RESERVED_BITS -> entry(usedL1Entry(false), 1L << (random.nextBoolean() ? 57 : 5));
            case L1_MISALIGNED -> entry(usedL1Entry(true), clusterSize() / 2);
            case L1_OUTSIDE -> replaceOffset(usedL1Entry(true), outside);
            case L1_GARBAGE -> buffer.putLong(usedL1Entry(true), random.nextLong() | (1L << 50));
            case BLOCK_GARBAGE -> garbageBlock();
            case BLOCK_DROPPED -> buffer.putLong(table(), 0);
            case BLOCK_MISALIGNED -> buffer.putLong(table(), block() + 512);
            case BLOCK_OUTSIDE -> buffer.putLong(table(), outside);
            case BLOCK_ON_L1 -> buffer.putLong(table(), l1());
            case TABLE_OUTSIDE -> buffer.putLong(48, outside);
            case TABLE_ON_L1 -> buffer.putLong(48, l1());
        }
    }

    private void garbageBlock() {
        byte[] garbage = new byte[clusterSize()];
        random.nextBytes(garbage);
        buffer.put(block(), garbage);
    }

    private void toggle(int place) {
        buffer.putLong(place, buffer.getLong(place) ^ (1L << 63));
    }
}
