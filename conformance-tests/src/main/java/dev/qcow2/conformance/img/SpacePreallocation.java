package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * Finds out whether an image counts more clusters than the host stores for it: then its tables were made in advance, and many of its
 * data clusters are holes of the file, which a map shows as zeros.
 */
final class SpacePreallocation {

    private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
    private static final int MOST_TABLE_BYTES = 8 << 20;

    private final HostFile file;
    private final long clusterSize;
    private final int countBits;
    private final long most;
    private long clusters;

    private SpacePreallocation(HostFile file, HeaderFacts facts, long most) {
        this.file = file;
        this.clusterSize = facts.clusterSize();
        this.countBits = facts.refcountBits();
        this.most = most;
    }

    /** Compares counts and space; a tenth of the clusters, or two, may be missing for other reasons. */
    static boolean found(HostFile file, HeaderFacts facts) throws DiskException {
        OptionalLong space = file.allocatedBytes();
        if (space.isEmpty()) {
            return false;
        }
        long stored = space.getAsLong() / facts.clusterSize();
        SpacePreallocation count = new SpacePreallocation(file, facts, Math.max(stored * 10 / 9, stored + 2));
        return count.passesMost(facts);
    }

    private boolean passesMost(HeaderFacts facts) throws DiskException {
        long tableBytes = Math.min(MOST_TABLE_BYTES, facts.value(HeaderLayout.REFCOUNT_TABLE_CLUSTERS) * clusterSize);
        ByteBuffer table = ByteBuffer.allocate((int) tableBytes);
        file.readZeroPadded(facts.value(HeaderLayout.REFCOUNT_TABLE_OFFSET), table);
        table.flip();
        while (table.hasRemaining() && clusters < most) {
            long block = table.getLong() & OFFSET_MASK;
            if (block != 0) {
                countUsed(block);
            }
        }
        return clusters >= most;
    }

    private void countUsed(long blockAt) throws DiskException {
        ByteBuffer block = ByteBuffer.allocate((int) clusterSize);
        file.readZeroPadded(blockAt, block);
        byte[] bytes = block.array();
        for (int bit = 0; bit < bytes.length * 8; bit += countBits) {
            if (isUsed(bytes, bit)) {
                clusters++;
            }
        }
    }

    private boolean isUsed(byte[] bytes, int bit) {
        if (countBits < 8) {
            return (bytes[bit / 8] >>> bit % 8 & (1 << countBits) - 1) != 0;
        }
        for (int i = 0; i < countBits / 8; i++) {
            if (bytes[bit / 8 + i] != 0) {
                return true;
            }
        }
        return false;
    }
}
