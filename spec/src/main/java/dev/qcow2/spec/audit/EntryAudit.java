package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.SubclusterClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.MappingLayout;

/** Looks at the entries of L2 tables. This is where an audit spends its time, so the common case comes first. */
final class EntryAudit {

    private static final long ZERO = MappingLayout.L2_ZERO.mask();
    private static final long OFFSET = MappingLayout.L2_OFFSET.mask();
    private static final long RESERVED = MappingLayout.L2_RESERVED_LOW.mask() | MappingLayout.L2_RESERVED_HIGH.mask();
    private static final long COMPRESSED = MappingLayout.L2_COMPRESSED.mask();
    private static final long COPIED = MappingLayout.L2_COPIED.mask();

    private final Findings findings;
    private final ImageFacts facts;
    private final StoredCounts stored;
    private final Tally tally;
    private final int clusterBits;
    private final long clusterMask;
    private final long fileSize;
    private final boolean plain;
    private final long compressedOffset;
    private final int compressedShift;

    private int active;
    private int total;
    private boolean copiedFlags;
    private long expected;
    private long allocated;
    private long compressed;
    private long fragmented;

    EntryAudit(Work work) {
        this.findings = work.findings();
        this.facts = work.facts();
        this.stored = work.stored();
        this.tally = work.tally();
        this.clusterBits = facts.clusterBits();
        this.clusterMask = facts.clusterSize() - 1;
        this.fileSize = work.reader().fileSize();
        this.plain = !facts.dataFile() && !facts.extendedL2();
        this.compressedOffset = MappingLayout.compressedOffset(clusterBits).mask();
        this.compressedShift = MappingLayout.compressedSectors(clusterBits).offset();
    }

    long allocated() {
        return allocated;
    }

    long compressed() {
        return compressed;
    }

    long fragmented() {
        return fragmented;
    }

    /** Starts a table that so many L1 entries lead to; the header, if taken for a table, has no COPIED flags. */
    void enter(int activeCount, int totalCount, boolean hasCopiedFlags) {
        active = activeCount;
        copiedFlags = hasCopiedFlags;
        total = totalCount;
        expected = 0;
    }

    /** Looks at a piece of a table. */
    void walk(byte[] bytes, int length, long hostOffset, long guestOffset) throws DiskException, LimitReachedException {
        int step = facts.entryBytes();
        long guest = guestOffset;
        for (int at = 0; at < length; at += step, guest += clusterMask + 1) {
            long entry = (long) MetadataReader.LONGS.get(bytes, at);
            if (plain && entry == 0) {
                continue;
            }
            long offset = entry & OFFSET;
            boolean ordinary = plain
                    && (entry & (RESERVED | COMPRESSED)) == 0
                    && offset != 0
                    && (offset & clusterMask) == 0
                    && offset < fileSize;
            if (ordinary) {
                tally.addCluster(offset >>> clusterBits, total, ReferenceCounts.DATA, guest);
                mapped(entry, offset, hostOffset + at, guest);
            } else {
                long bitmap = facts.extendedL2() ? (long) MetadataReader.LONGS.get(bytes, at + 8) : 0;
                unusual(entry, bitmap, hostOffset + at, guest);
            }
        }
    }

    /** An entry with a host cluster: is its COPIED flag right, and may it be there? */
    private void mapped(long entry, long offset, long host, long guest) throws DiskException, LimitReachedException {
        if ((entry & ZERO) != 0 && facts.version() == 2) {
            add(Kind.BREACH, total, host, guest, MappingClause.QC_L2_08, "zero flag in a version 2 image", entry);
        }
        if (active == 0) {
            return;
        }
        allocated += active;
        if (expected != 0 && expected != offset) {
            fragmented += active;
        }
        expected = offset + clusterMask + 1;
        notePastDisk(entry, host, guest);
        if (copiedFlags) {
            checkCopied(entry, offset, host, guest);
        }
    }

    private void checkCopied(long entry, long offset, long host, long guest)
            throws DiskException, LimitReachedException {
        // QC-HDR-18: clusters of a data file are not counted, each belongs to one entry.
        int count = facts.dataFile() ? 1 : stored.get(offset >>> clusterBits);
        if (count != StoredCounts.UNKNOWN && (count == 1) != ((entry & COPIED) != 0)) {
            String message = "COPIED is wrong, the cluster's count is " + count;
            add(Kind.CORRUPTION, active, host, guest, MappingClause.QC_L2_03, message, entry);
        }
    }

    private void unusual(long entry, long bitmap, long host, long guest) throws DiskException, LimitReachedException {
        if ((entry & COMPRESSED) != 0) {
            compressed(entry, bitmap, host, guest);
            return;
        }
        if ((entry & RESERVED) != 0) {
            add(Kind.CORRUPTION, total, host, guest, MappingClause.QC_L2_05, "reserved bits", entry);
        }
        long offset = entry & OFFSET;
        boolean zero = (entry & ZERO) != 0 && !facts.extendedL2();
        // Offset 0 is a place in a data file; there the COPIED flag says that it is meant.
        boolean mapped = offset != 0 || (facts.dataFile() && !zero && (entry & COPIED) != 0);
        if (mapped) {
            unusualMapped(entry, bitmap, host, guest);
        } else {
            unmapped(entry, bitmap, host, guest);
        }
    }

    private void unusualMapped(long entry, long bitmap, long host, long guest)
            throws DiskException, LimitReachedException {
        long offset = entry & OFFSET;
        if (((bitmap >>> 32) & bitmap) != 0) {
            String message = "a subcluster is both allocated and zero";
            add(Kind.CORRUPTION, total, host, guest, SubclusterClause.QC_SUB_06, message, entry);
        }
        if (facts.extendedL2() && (entry & ZERO) != 0) {
            add(Kind.BREACH, total, host, guest, MappingClause.QC_L2_08, "zero flag in an extended entry", entry);
        }
        if ((offset & clusterMask) != 0) {
            add(Kind.CORRUPTION, total, host, guest, MappingClause.QC_L2_04, "misaligned host offset", entry);
        }
        if (facts.dataFile()) {
            // QC-DATA-03: what lies in a data file is not counted.
            boolean elsewhere = offset != guest && (offset & clusterMask) == 0;
            String message = "another place in the data file than the guest's";
            add(Kind.BREACH, elsewhere ? total : 0, host, guest, DataFileClause.QC_DATA_02, message, entry);
        } else {
            tally.add(offset, clusterMask + 1, total, ReferenceCounts.DATA, guest);
        }
        mapped(entry, offset, host, guest);
    }

    private void unmapped(long entry, long bitmap, long host, long guest) {
        if ((bitmap & 0xffff_ffffL) != 0) {
            String message = "subclusters are allocated without a host cluster";
            add(Kind.CORRUPTION, total, host, guest, SubclusterClause.QC_SUB_07, message, entry);
        }
        if ((entry & ZERO) != 0 && (facts.version() == 2 || facts.extendedL2())) {
            add(Kind.BREACH, total, host, guest, MappingClause.QC_L2_08, "zero flag that may not be there", entry);
        }
        // QC-L2-15: the place 0 of a data file may be kept by a zero cluster, as any other place may.
        boolean keepsFirst = facts.dataFile() && guest == 0;
        if ((entry & COPIED) != 0 && !keepsFirst) {
            add(Kind.BREACH, total, host, guest, MappingClause.QC_L2_03, "COPIED without a host cluster", entry);
        }
    }

    private void compressed(long entry, long bitmap, long host, long guest) throws LimitReachedException {
        if ((entry & COPIED) != 0) {
            add(Kind.CORRUPTION, total, host, guest, MappingClause.QC_L2_03, "COPIED on compressed data", entry);
        }
        if (facts.dataFile()) {
            String message = "compressed data with a data file";
            add(Kind.CORRUPTION, total, host, guest, DataFileClause.QC_DATA_05, message, entry);
            return;
        }
        if (bitmap != 0) {
            String message = "compressed data with subclusters";
            add(Kind.CORRUPTION, total, host, guest, SubclusterClause.QC_SUB_08, message, entry);
            return;
        }
        // QC-L2-12, QC-CMP-05, QC-CMP-08: the sectors are counted from the one that holds the first byte.
        long offset = entry & compressedOffset;
        long sectors = ((entry & ~(COMPRESSED | COPIED)) >>> compressedShift) + 1;
        tally.add(offset, sectors * 512 - (offset & 511), total, ReferenceCounts.COMPRESSED, guest);
        allocated += active;
        compressed += active;
        fragmented += active;
        notePastDisk(entry, host, guest);
    }

    private void notePastDisk(long entry, long host, long guest) {
        // Machine state lies there while a snapshot is taken, so it is no error.
        if (guest >= facts.diskSize() && active > 0) {
            String message = "an entry of the active table past the disk's end";
            add(Kind.WARNING, active, host, guest, HeaderClause.QC_HDR_07, message, entry);
        }
    }

    private void add(Kind kind, int times, long host, long guest, Clause clause, String message, long entry) {
        findings.add(kind, times, host, guest, clause, () -> message + ": L2 entry 0x" + Long.toHexString(entry));
    }
}
