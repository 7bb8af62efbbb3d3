package dev.qcow2.optimized;

import dev.qcow2.optimized.ClusterUse.Kind;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;

/** Sets and clears the COPIED flags of the active tables (QC-L1-03, QC-L2-03). */
final class CopiedRepair {

    private static final int CHUNK_BYTES = 1 << 16;

    private final RepairScope scope;
    private final int clusterBits;
    private final boolean mends;

    /** Gets ready, when all counts were compared: whether flags may follow them depends on what was found. */
    CopiedRepair(RepairScope scope) {
        this.scope = scope;
        this.clusterBits = scope.clusterBits();
        this.mends = scope.mendsFlags();
    }

    void run() throws DiskException {
        ByteBuffer table = ByteBuffer.allocate(1 << clusterBits);
        int step = scope.extended() ? 16 : 8;
        // QC-DATA-04: nobody counts the clusters of a data file, and each belongs to one entry.
        boolean alone = scope.dataFile();
        scope.use()
                .forEach(
                        Kind.ACTIVE_L2,
                        Kind.ACTIVE_L2,
                        cluster -> mend(cluster << clusterBits, table.clear(), step, alone));
        long bytes = 8L * scope.header().l1Size();
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, bytes));
        for (long done = 0; done < bytes; done += chunk.capacity()) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), bytes - done));
            mend(scope.header().l1Offset() + done, chunk, 8, false);
        }
    }

    private void mend(long tableOffset, ByteBuffer table, int step, boolean alone) throws DiskException {
        scope.host().readZeroPadded(tableOffset, table);
        boolean changed = false;
        for (int at = 0; at < table.limit(); at += step) {
            long entry = table.getLong(at);
            long mended = mended(entry, alone);
            if (mended != entry) {
                scope.corruption(mends);
                changed = true;
                table.putLong(at, mended);
            }
        }
        if (changed && mends) {
            scope.write(tableOffset, table.rewind());
        }
    }

    private long mended(long entry, boolean alone) {
        long offset = EntryBits.offset(entry);
        if (offset == 0 || (entry & EntryBits.COMPRESSED) != 0) {
            return entry;
        }
        return alone || scope.use().count(offset >>> clusterBits) == 1
                ? entry | EntryBits.COPIED
                : entry & ~EntryBits.COPIED;
    }
}
