package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.BitmapLayout;
import java.nio.ByteBuffer;

/** Counts the clusters of persistent bitmaps. */
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
                corrupt(at, "the bitmap directory ends before its last entry");
                return;
            }
            reader.read(at, fixedBytes, fixedBytes.length);
            if (!sane()) {
                corrupt(at, "a bitmap directory entry with values that are not allowed");
                return;
            }
            addBitmap();
            long size = fixedBytes.length
                    + BitmapLayout.NAME_SIZE.get(fixed, 0)
                    + BitmapLayout.EXTRA_DATA_SIZE.get(fixed, 0);
            at += (size + 7) & ~7L;
        }
        if (at != end) {
            corrupt(at, "the bitmap directory is longer than its entries");
        }
    }

    private boolean sane() {
        long offset = BitmapLayout.TABLE_OFFSET.get(fixed, 0);
        long entries = BitmapLayout.TABLE_SIZE.get(fixed, 0);
        long granularity = BitmapLayout.GRANULARITY_BITS.get(fixed, 0);
        return offset > 0
                && offset < Long.MAX_VALUE / 2
                && !facts.misaligned(offset)
                && entries > 0
                && entries <= LARGEST_TABLE_ENTRIES
                && entries << facts.clusterBits() <= LARGEST_BITMAP
                && granularity >= 9
                && granularity <= 31
                && (BitmapLayout.FLAGS.get(fixed, 0) & ~3L) == 0
                && BitmapLayout.TYPE.get(fixed, 0) == 1
                && BitmapLayout.NAME_SIZE.get(fixed, 0) <= LONGEST_NAME;
    }

    private void addBitmap() throws DiskException, LimitReachedException {
        long table = BitmapLayout.TABLE_OFFSET.get(fixed, 0);
        long bytes = 8 * BitmapLayout.TABLE_SIZE.get(fixed, 0);
        tally.add(table, bytes, 1, ReferenceCounts.OTHER, -1);
        for (long done = 0; done < bytes; done += window.length) {
            int length = (int) Math.min(window.length, bytes - done);
            reader.read(table + done, window, length);
            for (int at = 0; at < length; at += 8) {
                addEntry((long) MetadataReader.LONGS.get(window, at), table + done + at);
            }
        }
    }

    private void addEntry(long entry, long at) throws LimitReachedException {
        long offset = BitmapLayout.DATA_OFFSET.inPlace(entry);
        boolean flagged = offset != 0 && BitmapLayout.ALL_ONES.isSet(entry);
        if ((entry & RESERVED) != 0 || flagged || facts.misaligned(offset)) {
            corrupt(at, "bitmap table entry 0x" + Long.toHexString(entry));
        } else if (offset != 0) {
            tally.add(offset, facts.clusterSize(), 1, ReferenceCounts.OTHER, -1);
        }
    }

    private void corrupt(long at, String message) {
        findings.add(Kind.CORRUPTION, 1, at, -1, ExtensionClause.QC_EXT_11, () -> message);
    }
}
