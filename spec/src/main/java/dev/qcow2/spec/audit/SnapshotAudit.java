package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.SnapshotClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/** Walks the snapshot table and the L1 tables that it names. */
final class SnapshotAudit {

    private static final long MOST_SNAPSHOTS = 65536;
    private static final long LARGEST_TABLE = 64L << 20;
    private static final long LARGEST_EXTRA_DATA = 1024;
    private static final long LARGEST_L1 = 32L << 20;

    private final MetadataReader reader;
    private final Findings findings;
    private final ImageFacts facts;
    private final Tally tally;
    private final MappingAudit mapping;
    private final byte[] fixedBytes = new byte[SnapshotLayout.ENTRY.size()];
    private final ByteBuffer fixed = ByteBuffer.wrap(fixedBytes);
    private final Set<String> ids = new HashSet<>();

    SnapshotAudit(Work work, MappingAudit mapping) {
        this.reader = work.reader();
        this.findings = work.findings();
        this.facts = work.facts();
        this.tally = work.tally();
        this.mapping = mapping;
    }

    void walk() throws DiskException, LimitReachedException {
        Table table = facts.snapshots();
        require(table.hostOffset(), table.length() <= MOST_SNAPSHOTS, table.length() + " snapshots");
        if (facts.dataFile()) {
            corrupt(table.hostOffset(), DataFileClause.QC_DATA_06, "snapshots in an image with a data file");
        }
        long at = table.hostOffset();
        long end = at;
        for (long index = 0; index < table.length(); index++) {
            reader.read(at, fixedBytes, fixedBytes.length);
            long extra = SnapshotLayout.EXTRA_DATA_SIZE.get(fixed, 0);
            require(at, extra <= LARGEST_EXTRA_DATA, extra + " bytes of extra data");
            long idSize = SnapshotLayout.ID_SIZE.get(fixed, 0);
            long idOffset = at + SnapshotLayout.ENTRY.size() + extra;
            checkEntry(at, extra, idOffset, (int) idSize);
            addL1(at);
            end = idOffset + idSize + SnapshotLayout.NAME_SIZE.get(fixed, 0);
            require(at, end - table.hostOffset() <= LARGEST_TABLE, "a table of " + (end - table.hostOffset()));
            // QC-SNAP-04
            at = (end + 7) & ~7L;
        }
        tally.add(table.hostOffset(), end - table.hostOffset(), 1, ReferenceCounts.OTHER, -1);
    }

    private void checkEntry(long at, long extra, long idOffset, int idSize)
            throws DiskException, LimitReachedException {
        if (facts.version() == 3 && extra < SnapshotLayout.EXTRA_DATA.size()) {
            corrupt(at, SnapshotClause.QC_SNAP_07, "only " + extra + " bytes of extra data");
        }
        byte[] id = new byte[idSize];
        reader.read(idOffset, id, idSize);
        if (!ids.add(new String(id, StandardCharsets.ISO_8859_1))) {
            findings.add(Kind.BREACH, 1, at, -1, SnapshotClause.QC_SNAP_08, () -> "a second snapshot with the same id");
        }
    }

    private void addL1(long at) throws DiskException, LimitReachedException {
        long offset = SnapshotLayout.L1_TABLE_OFFSET.get(fixed, 0);
        long bytes = 8 * SnapshotLayout.L1_SIZE.get(fixed, 0);
        if (facts.misaligned(offset)) {
            corrupt(at, SnapshotClause.QC_SNAP_05, "misaligned L1 table at " + offset);
        } else if (bytes == 0) {
            // Nothing is there, so it does not matter where.
            return;
        } else if (bytes > LARGEST_L1 || offset < 0 || offset > Long.MAX_VALUE - 2 * LARGEST_L1) {
            corrupt(at, LimitClause.QC_LIM_02, "L1 table of " + bytes + " bytes at " + offset);
        } else {
            mapping.addL1(new Table(offset, bytes), false);
        }
    }

    private void corrupt(long at, Clause clause, String message) {
        findings.add(Kind.CORRUPTION, 1, at, -1, clause, () -> "snapshot table entry: " + message);
    }

    private void require(long at, boolean condition, String found) throws DiskException {
        if (!condition) {
            throw new MalformedImageException(
                    reader.fileName(), LimitClause.QC_LIM_05, at, found, LimitClause.QC_LIM_05.paraphrase());
        }
    }
}
