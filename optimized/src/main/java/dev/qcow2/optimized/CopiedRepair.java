package dev.qcow2.optimized;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/** Sets and clears the COPIED flags of the active tables (QC-L1-03, QC-L2-03); the counts are right on the disk. */
final class CopiedRepair {

    private static final int CHUNK_BYTES = 1 << 16;

    private final RepairScope scope;
    private final int clusterBits;

    CopiedRepair(RepairScope scope) {
        this.scope = scope;
        this.clusterBits = scope.clusterBits();
    }

    void run() throws DiskException {
        ByteBuffer table = ByteBuffer.allocate(1 << clusterBits);
        // QC-DATA-03: nobody counts the clusters of a data file, so nothing tells their flags.
        if (!scope.dataFile()) {
            int step = scope.extended() ? 16 : 8;
            scope.use()
                    .forEach(
                            Kind.ACTIVE_L2,
                            Kind.ACTIVE_L2,
                            cluster -> mend(cluster << clusterBits, table.clear(), step));
        }
        long bytes = 8L * scope.header().l1Size();
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, bytes));
        for (long done = 0; done < bytes; done += chunk.capacity()) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), bytes - done));
            mend(scope.header().l1Offset() + done, chunk, 8);
        }
    }

    private void mend(long tableOffset, ByteBuffer table, int step) throws DiskException {
        scope.host().readZeroPadded(tableOffset, table);
        boolean changed = false;
        for (int at = 0; at < table.limit(); at += step) {
            long entry = table.getLong(at);
            long mended = mended(entry);
            if (mended != entry) {
                scope.corruption();
                changed = true;
                table.putLong(at, mended);
            }
        }
        if (changed && scope.mendsAll()) {
            scope.write(tableOffset, table.rewind());
        }
    }

    private long mended(long entry) {
        long offset = EntryBits.offset(entry);
        if (offset == 0 || (entry & EntryBits.COMPRESSED) != 0) {
            return entry;
        }
        boolean alone = scope.use().count(offset >>> clusterBits) == 1;
        return alone ? entry | EntryBits.COPIED : entry & ~EntryBits.COPIED;
    }
}
