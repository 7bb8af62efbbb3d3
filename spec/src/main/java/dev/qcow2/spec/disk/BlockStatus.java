package dev.qcow2.spec.disk;

/**
 * What is known, from metadata alone, of a range of the disk.
 *
 * <p>{@code depth} says which image of the chain decides: 0 is the disk's own image, 1 its backing
 * file, and so on. Where no image of the chain has anything, the range reads as zero, is not
 * allocated, and {@code depth} is that of the last image that covers it; a backing file that is
 * shorter than its overlay does not cover what lies past its end (QC-BACK-01). A raw backing file
 * is allocated data from its first byte to its last; whether it has holes is not asked.
 *
 * @param guestOffset first byte of the range
 * @param length bytes, more than 0
 * @param content whether the range holds data or reads as zero
 * @param allocated whether an image of the chain decides on the range; false where all leave it open
 * @param depth index in the chain, 0 or more
 */
public record BlockStatus(long guestOffset, long length, Content content, boolean allocated, int depth) {

    /** What the bytes of a range are. */
    public enum Content {
        /** Any bytes; reading is the only way to know. */
        DATA,
        /** All bytes read as zero. */
        ZERO
    }

    /**
     * Returns the first guest offset after the range.
     *
     * @return bytes
     */
    public long end() {
        return guestOffset + length;
    }

    /**
     * Says whether another extent follows without a gap and says the same.
     *
     * @param next the extent that may follow
     * @return true if the two are one extent
     */
    public boolean joins(BlockStatus next) {
        return next.guestOffset == end()
                && next.content == content
                && next.allocated == allocated
                && next.depth == depth;
    }
}
