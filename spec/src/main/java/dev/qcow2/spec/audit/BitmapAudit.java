package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.BitmapLayout;
import dev.qcow2.spec.layout.ByteField;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/** Counts the clusters of persistent bitmaps (QC-BM-21), and judges their directory. */
final class BitmapAudit {

    private static final long LARGEST_TABLE_ENTRIES = 0x8000000;
    private static final long LARGEST_BITMAP = 0x20000000;
    private static final long LONGEST_NAME = 1023;
    private static final long RESERVED = BitmapLayout.RESERVED_LOW.mask() | BitmapLayout.RESERVED_HIGH.mask();

    private final MetadataReader reader;
    private final Findings findings;
    private final ImageFacts facts;
    private final Tally tally;
    private final byte[] window;
    private final byte[] fixedBytes = new byte[BitmapLayout.DIRECTORY_ENTRY.size()];
    private final ByteBuffer fixed = ByteBuffer.wrap(fixedBytes);
    private final Set<String> names = new HashSet<>();

    BitmapAudit(Work work) {
        this.reader = work.reader();
        this.findings = work.findings();
        this.facts = work.facts();
        this.tally = work.tally();
        this.window = work.window();
    }

    void walk() throws DiskException, LimitReachedException {
        Table directory = facts.bitmapDirectory();
        tally.add(directory.hostOffset(), directory.length(), 1, ReferenceCounts.OTHER, -1);
        long at = directory.hostOffset();
        long end = at + directory.length();
        for (int index = 0; index < facts.bitmapCount(); index++) {
            if (end - at < fixedBytes.length) {
                corrupt(at, BitmapClause.QC_BM_02, "the bitmap directory ends before its last entry");
                return;
            }
            reader.read(at, fixedBytes, fixedBytes.length);
            if (!sane(at)) {
                return;
            }
            judge(at);
            long last = addBitmap();
            if (!BitmapLayout.IN_USE.isSet(value(BitmapLayout.FLAGS)) && !ofAnotherLength()) {
                checkTail(last, at);
            }
            long size = fixedBytes.length
                    + BitmapLayout.NAME_SIZE.get(fixed, 0)
                    + BitmapLayout.EXTRA_DATA_SIZE.get(fixed, 0);
            at += (size + 7) & ~7L;
        }
        if (at != end) {
            corrupt(at, BitmapClause.QC_BM_02, "the bitmap directory is longer than its entries");
        }
    }

    /** Looks at an entry; false if it can't be followed to a table. */
    private boolean sane(long at) {
        long granularity = value(BitmapLayout.GRANULARITY_BITS);
        return holds(at, BitmapLayout.TABLE_OFFSET, placed(value(BitmapLayout.TABLE_OFFSET)))
                && holds(at, BitmapLayout.TABLE_SIZE, LimitClause.QC_LIM_12, bounded(value(BitmapLayout.TABLE_SIZE)))
                && holds(
                        at, BitmapLayout.GRANULARITY_BITS, LimitClause.QC_LIM_13, granularity >= 9 && granularity <= 31)
                && holds(at, BitmapLayout.FLAGS, !BitmapLayout.FLAGS_RESERVED.isSet(value(BitmapLayout.FLAGS)))
                && holds(at, BitmapLayout.TYPE, value(BitmapLayout.TYPE) == 1)
                && holds(at, BitmapLayout.NAME_SIZE, value(BitmapLayout.NAME_SIZE) <= LONGEST_NAME);
    }

    private boolean placed(long table) {
        return table > 0 && table < Long.MAX_VALUE / 2 && !facts.misaligned(table);
    }

    private boolean bounded(long entries) {
        return entries > 0 && entries <= LARGEST_TABLE_ENTRIES && entries << facts.clusterBits() <= LARGEST_BITMAP;
    }

    private long value(ByteField field) {
        return field.get(fixed, 0);
    }

    private boolean holds(long at, ByteField field, boolean condition) {
        return holds(at, field, field.clause(), condition);
    }

    private boolean holds(long at, ByteField field, Clause clause, boolean condition) {
        if (!condition) {
            String found = Long.toUnsignedString(value(field));
            corrupt(at + field.offset(), clause, field.name() + " " + found + " of a bitmap directory entry");
        }
        return condition;
    }

    /** Rules that do not keep anybody from counting the bitmap's clusters. */
    private void judge(long at) throws DiskException, LimitReachedException {
        long flags = value(BitmapLayout.FLAGS);
        long extra = value(BitmapLayout.EXTRA_DATA_SIZE);
        // QC-BM-07: one that is in use may have the length that the disk had before.
        boolean wrong = !BitmapLayout.IN_USE.isSet(flags) && ofAnotherLength();
        breachIf(wrong, at, BitmapClause.QC_BM_05, "its table does not fit the disk's size");
        if (extra != 0 || BitmapLayout.EXTRA_DATA_COMPATIBLE.isSet(flags)) {
            findings.add(
                    Kind.WARNING, 1, at, -1, BitmapClause.QC_BM_12, () -> "a bitmap has extra data; QEMU refuses that");
        }
        int nameSize = (int) value(BitmapLayout.NAME_SIZE);
        byte[] name = new byte[nameSize + 7];
        reader.read(at + fixedBytes.length + extra, name, name.length);
        breachIf(nameSize == 0, at, BitmapClause.QC_BM_11, "it has no name");
        boolean fresh = names.add(new String(name, 0, nameSize, StandardCharsets.ISO_8859_1));
        breachIf(!fresh, at, BitmapClause.QC_BM_11, "another one has the same name");
        int padding = (int) -(fixedBytes.length + extra + nameSize) & 7;
        boolean padded = new String(name, nameSize, padding, StandardCharsets.ISO_8859_1)
                .chars()
                .anyMatch(c -> c != 0);
        breachIf(padded, at, BitmapClause.QC_BM_04, "its padding is not zero");
    }

    private long bits() {
        return ((facts.diskSize() - 1) >> value(BitmapLayout.GRANULARITY_BITS)) + 1;
    }

    private long bitsPerCluster() {
        return 8L << facts.clusterBits();
    }

    /** Says that the table is of another length than the disk. */
    private boolean ofAnotherLength() {
        return facts.diskSize() > 0 && (bits() - 1) / bitsPerCluster() + 1 != value(BitmapLayout.TABLE_SIZE);
    }

    /** Bits of the last cluster that stand for nothing. */
    private void checkTail(long entry, long at) throws DiskException, LimitReachedException {
        long offset = BitmapLayout.DATA_OFFSET.inPlace(entry);
        long firstBit = (bits() - 1) % bitsPerCluster() + 1;
        if (offset == 0 || firstBit == bitsPerCluster()) {
            return;
        }
        int mask = 0xff << (firstBit & 7);
        for (long done = firstBit / 8; done < facts.clusterSize(); ) {
            int length = (int) Math.min(window.length, facts.clusterSize() - done);
            reader.read(offset + done, window, length);
            for (int i = 0; i < length; i++) {
                if ((window[i] & mask) != 0) {
                    breachIf(true, at, BitmapClause.QC_BM_18, "bits behind the end of the disk are set");
                    return;
                }
                mask = 0xff;
            }
            done += length;
        }
    }

    private void breachIf(boolean condition, long at, Clause clause, String message) {
        findings.add(Kind.BREACH, condition ? 1 : 0, at, -1, clause, () -> "a bitmap: " + message);
    }

    /** Counts a bitmap's clusters; returns the last entry of its table. */
    private long addBitmap() throws DiskException, LimitReachedException {
        long table = BitmapLayout.TABLE_OFFSET.get(fixed, 0);
        long bytes = 8 * BitmapLayout.TABLE_SIZE.get(fixed, 0);
        tally.add(table, bytes, 1, ReferenceCounts.OTHER, -1);
        long entry = 0;
        for (long done = 0; done < bytes; done += window.length) {
            int length = (int) Math.min(window.length, bytes - done);
            reader.read(table + done, window, length);
            for (int at = 0; at < length; at += 8) {
                entry = (long) MetadataReader.LONGS.get(window, at);
                addEntry(entry, table + done + at);
            }
        }
        return entry;
    }

    private void addEntry(long entry, long at) throws LimitReachedException {
        long offset = BitmapLayout.DATA_OFFSET.inPlace(entry);
        boolean flagged = offset != 0 && BitmapLayout.ALL_ONES.isSet(entry);
        if ((entry & RESERVED) != 0 || flagged) {
            corrupt(at, BitmapClause.QC_BM_14, "reserved bits in bitmap table entry 0x" + Long.toHexString(entry));
        } else if (facts.misaligned(offset)) {
            corrupt(at, BitmapClause.QC_BM_16, "misaligned bitmap table entry 0x" + Long.toHexString(entry));
        } else if (offset != 0) {
            tally.add(offset, facts.clusterSize(), 1, ReferenceCounts.OTHER, -1);
        }
    }

    private void corrupt(long at, Clause clause, String message) {
        findings.add(Kind.CORRUPTION, 1, at, -1, clause, () -> message);
    }
}
