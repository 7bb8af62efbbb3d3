package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.MappingLayout;
import java.util.function.Supplier;

/** Walks L1 tables and, after that, every L2 table that they lead to. */
final class MappingAudit {

    private static final long L1_OFFSET = MappingLayout.L1_OFFSET.mask();
    private static final long L1_RESERVED =
            MappingLayout.L1_RESERVED_LOW.mask() | MappingLayout.L1_RESERVED_HIGH.mask();
    private static final long COPIED = MappingLayout.L1_COPIED.mask();

    private final MetadataReader reader;
    private final Findings findings;
    private final ImageFacts facts;
    private final StoredCounts stored;
    private final Tally tally;
    private final TableReferences tables;
    private final byte[] window;

    MappingAudit(Work work) {
        this.reader = work.reader();
        this.findings = work.findings();
        this.facts = work.facts();
        this.stored = work.stored();
        this.tally = work.tally();
        this.window = work.window();
        this.tables = new TableReferences(work.memory());
    }

    /** Counts an L1 table and the L2 tables that it leads to (QC-L1-04). */
    void addL1(Table l1, boolean active) throws DiskException, LimitReachedException {
        tally.add(l1.hostOffset(), l1.length(), 1, ReferenceCounts.L1_TABLE, -1);
        for (long done = 0; done < l1.length(); done += window.length) {
            int length = (int) Math.min(window.length, l1.length() - done);
            if (l1.hostOffset() + done >= reader.fileSize()) {
                return;
            }
            reader.read(l1.hostOffset() + done, window, length);
            for (int at = 0; at < length; at += 8) {
                long entry = (long) MetadataReader.LONGS.get(window, at);
                if (entry != 0) {
                    l1Entry(l1.hostOffset() + done + at, (done + at) >>> 3, entry, active);
                }
            }
        }
    }

    private void l1Entry(long entryOffset, long index, long entry, boolean active)
            throws DiskException, LimitReachedException {
        long offset = entry & L1_OFFSET;
        long guest = index << (facts.clusterBits() + facts.entriesPerTableBits());
        if ((entry & L1_RESERVED) != 0) {
            corrupt(entryOffset, guest, MappingClause.QC_L1_02, () -> "reserved bits in L1 entry " + hex(entry));
        }
        tally.add(offset, facts.clusterSize(), 1, ReferenceCounts.L2_TABLE, guest);
        if (facts.misaligned(offset)) {
            corrupt(entryOffset, guest, MappingClause.QC_L1_01, () -> "misaligned L2 table in L1 entry " + hex(entry));
        }
        if (active && offset != 0) {
            int count = stored.get(offset >>> facts.clusterBits());
            if (count != StoredCounts.UNKNOWN && (count == 1) != ((entry & COPIED) != 0)) {
                corrupt(
                        entryOffset,
                        guest,
                        MappingClause.QC_L1_03,
                        () -> "COPIED is wrong in L1 entry " + hex(entry) + ", the table's count is " + count);
            }
        }
        // An entry with flags and no offset leads to the header, as QEMU reads it.
        tables.add(offset, index, active);
    }

    /** Walks each L2 table once. */
    void walkL2(EntryAudit entries) throws DiskException, LimitReachedException {
        int step = facts.entryBytes();
        for (int table = 0; table < tables.size(); table++) {
            long offset = tables.offset(table);
            entries.enter(tables.activeCount(table), tables.totalCount(table), offset != 0);
            long guest = tables.firstEntry(table) << (facts.clusterBits() + facts.entriesPerTableBits());
            for (long done = 0; done < facts.clusterSize(); done += window.length) {
                // What lies past the end of the file is zeros, and those say nothing.
                if (offset + done >= reader.fileSize()) {
                    break;
                }
                int length = (int) Math.min(window.length, facts.clusterSize() - done);
                reader.read(offset + done, window, length);
                entries.walk(window, length, offset + done, guest + ((done / step) << facts.clusterBits()));
            }
        }
    }

    private void corrupt(long host, long guest, Clause clause, Supplier<String> message) {
        findings.add(Kind.CORRUPTION, 1, host, guest, clause, message);
    }

    private static String hex(long entry) {
        return "0x" + Long.toHexString(entry);
    }
}
