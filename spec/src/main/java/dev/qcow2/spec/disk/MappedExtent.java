package dev.qcow2.spec.disk;

import dev.qcow2.spec.disk.BlockStatus.Content;
import java.util.OptionalLong;

/**
 * Where a range of the disk is in the files of its chain.
 *
 * <p>A raw backing file counts as long as its last sector of 512 bytes, and its holes are zeros at their place.
 *
 * @param guestOffset first byte of the range
 * @param length bytes, more than 0
 * @param content whether the range holds data or reads as zero
 * @param allocated whether an image of the chain decides on the range, as in {@link BlockStatus}
 * @param depth which image of the chain decides, as in {@link BlockStatus}
 * @param hostOffset where the range starts in the file that holds that image's guest clusters, and goes on without a gap: for data
 *     that is neither compressed nor encrypted, for zeros that keep a host cluster, and for subclusters that are open and have none
 *     below them, if their cluster has a host cluster; empty otherwise, and always in an encrypted image
 * @param compressed whether the range is data in compressed clusters
 */
public record MappedExtent(
        long guestOffset,
        long length,
        Content content,
        boolean allocated,
        int depth,
        OptionalLong hostOffset,
        boolean compressed) {

    /**
     * Returns the first guest offset after the range.
     *
     * @return bytes
     */
    public long end() {
        return guestOffset + length;
    }

    /**
     * Says whether another extent follows without a gap, in the guest's disk and in the host's file, and says the same.
     *
     * @param next the extent that may follow
     * @return true if the two are one extent
     */
    public boolean joins(MappedExtent next) {
        boolean goesOn = hostOffset.isPresent()
                ? next.hostOffset.isPresent() && next.hostOffset.getAsLong() == hostOffset.getAsLong() + length
                : next.hostOffset.isEmpty();
        return goesOn
                && next.guestOffset == end()
                && next.content == content
                && next.allocated == allocated
                && next.depth == depth
                && next.compressed == compressed;
    }
}
