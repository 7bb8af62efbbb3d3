package dev.qcow2.reference;

/**
 * An L2 entry as a repair sees it: nothing in it is believed, so it is kept as bits. All that can be said of it without
 * looking elsewhere is said here.
 *
 * <p>What is mended keeps as many of the guest's bytes as can be kept without guessing: reserved bits go, and the rest
 * of the entry stays; where no host cluster can be meant the cluster becomes one that reads as zero, so that no old
 * bytes of a backing file come to light. Version 2 has no such clusters, and there it becomes unallocated.
 *
 * @param rules what the image allows
 * @param bits the entry
 * @param bitmap its subclusters, with extended L2 entries (QC-HDR-20); else 0
 */
record CheckedL2Entry(Rules rules, long bits, long bitmap) {

    /**
     * What an image allows in its L2 entries.
     *
     * @param version 2 or 3
     * @param clusterBits 9 to 21
     * @param extended whether entries have subclusters (QC-HDR-20)
     * @param dataFile whether guest clusters live elsewhere (QC-HDR-18)
     */
    record Rules(int version, int clusterBits, boolean extended, boolean dataFile) {

        private static final long DATA_FILE = 1 << 2;
        private static final long EXTENDED_L2 = 1 << 4;

        static Rules of(Header header) {
            boolean dataFile = (header.incompatible() & DATA_FILE) != 0;
            boolean extended = (header.incompatible() & EXTENDED_L2) != 0;
            return new Rules(header.version(), header.clusterBits(), extended, dataFile);
        }

        int entryBytes() {
            return extended ? 16 : 8;
        }
    }

    static final long COPIED = 1L << 63;

    private static final long ZERO = 1;
    private static final long COMPRESSED = 1L << 62;
    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
    private static final long ALLOCATED_SUBCLUSTERS = 0xffff_ffffL;
    private static final long ZERO_SUBCLUSTERS = 0xffff_ffff_0000_0000L;
    private static final int SECTOR = 512;

    boolean compressed() {
        return (bits & COMPRESSED) != 0;
    }

    /** The host cluster's offset, as far as the entry has one; it need not be aligned. */
    long offset() {
        return compressed() ? 0 : bits & OFFSET;
    }

    /** Whether there is a host cluster; in a data file the first one has offset 0, and COPIED tells. */
    boolean mapped() {
        boolean first = rules.dataFile() && (bits & COPIED) != 0;
        return !compressed() && (offset() != 0 || first);
    }

    /** Whether no byte of the host cluster is shown. */
    boolean readsAsZero() {
        return rules.extended() ? (bitmap & ALLOCATED_SUBCLUSTERS) == 0 : (bits & ZERO) != 0;
    }

    /** QC-L2-12: the bits of a compressed descriptor that are the offset of its first byte. */
    long compressedOffset() {
        return bits & ((1L << offsetBits()) - 1);
    }

    /** QC-L2-12: bytes up to the end of the last sector. */
    long compressedLength() {
        long furtherSectors = (bits & ~(COPIED | COMPRESSED)) >>> offsetBits();
        return (furtherSectors + 1) * SECTOR - (compressedOffset() & (SECTOR - 1));
    }

    private int offsetBits() {
        return 62 - (rules.clusterBits() - 8);
    }

    /** The entry without what may not stand in it, whatever its host cluster is. */
    CheckedL2Entry withoutForbiddenBits() {
        if (compressed()) {
            // QC-L2-03: compressed data has no COPIED flag; QC-HDR-18: and no place in a data file.
            return rules.dataFile() ? zeroed() : new CheckedL2Entry(rules, bits & ~COPIED, 0);
        }
        // QC-L2-08: without the flag a cluster of version 2 is what the rest of the entry says.
        boolean zeroAllowed = rules.version() > 2 && !rules.extended();
        long allowed = COPIED | OFFSET | (zeroAllowed ? ZERO : 0);
        CheckedL2Entry entry = new CheckedL2Entry(rules, bits & allowed, bitmap);
        // A subcluster can't be both: what is not shown can't be something that belonged to somebody else.
        long both = (bitmap >>> 32) & bitmap & ALLOCATED_SUBCLUSTERS;
        return entry.mapped()
                ? new CheckedL2Entry(rules, entry.bits, bitmap & ~both)
                : new CheckedL2Entry(rules, entry.bits & ~COPIED, bitmap & ZERO_SUBCLUSTERS);
    }

    /** The entry with the offset cut down to the start of its cluster. */
    CheckedL2Entry aligned() {
        return new CheckedL2Entry(rules, bits & ~(((1L << rules.clusterBits()) - 1) & OFFSET), bitmap);
    }

    boolean misaligned() {
        return aligned().bits != bits;
    }

    /** What the entry becomes if nothing can be behind it. */
    CheckedL2Entry zeroed() {
        if (rules.version() == 2) {
            return new CheckedL2Entry(rules, 0, 0);
        }
        return rules.extended() ? new CheckedL2Entry(rules, 0, ZERO_SUBCLUSTERS) : new CheckedL2Entry(rules, ZERO, 0);
    }

    /** The entry with or without its COPIED flag. */
    CheckedL2Entry withCopied(boolean copied) {
        return new CheckedL2Entry(rules, copied ? bits | COPIED : bits & ~COPIED, bitmap);
    }
}
