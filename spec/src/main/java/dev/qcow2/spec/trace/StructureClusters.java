package dev.qcow2.spec.trace;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The host clusters to which the file itself refers, with one reference each: header, L1 tables, refcount table and blocks,
 * snapshot table, bitmaps. No model speaks of them, so their references are left out of the counts in a trace.
 */
final class StructureClusters {

    private static final int BITMAPS_EXTENSION = 0x23852875;
    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
    private static final int MOST_BITMAPS = 65535;
    private static final int LARGEST_TABLE = 8 << 20;

    private final ImageReading reading;
    private final HostFile file;
    private final Set<Long> clusters = new HashSet<>();

    StructureClusters(ImageReading reading, HostFile file) {
        this.reading = reading;
        this.file = file;
    }

    /** Finds them; the earlier set if nothing has changed. */
    Set<Long> since(@Nullable ImageReading previous) throws DiskException {
        int bitmaps = bitmapsExtensionAt();
        if (previous != null
                && bitmaps == 0
                && previous.header == reading.header
                && previous.refcountTable == reading.refcountTable
                && previous.snapshotTable == reading.snapshotTable) {
            return previous.structures;
        }
        ImageFacts.Tables tables = reading.facts.tables();
        add(0, 1);
        add(tables.l1Offset(), reading.active.l1().length);
        add(tables.refcountTableOffset(), reading.refcountTable.length);
        for (int i = 0; i < reading.refcountTable.length / 8; i++) {
            long block = (long) ImageReading.LONGS.get(reading.refcountTable, i * 8) & -512L;
            add(block, block == 0 ? 0 : 1);
        }
        add(tables.snapshotsOffset(), reading.snapshotTable.length);
        addSnapshotTables();
        if (bitmaps > 0) {
            addBitmaps(bitmaps);
        }
        return clusters;
    }

    private void add(long offset, long length) {
        int bits = reading.facts.clusterBits();
        if (length > 0 && offset >= 0) {
            for (long cluster = offset >>> bits; cluster <= (offset + length - 1) >>> bits; cluster++) {
                clusters.add(cluster);
            }
        }
    }

    private void addSnapshotTables() {
        byte[] table = reading.snapshotTable;
        int at = 0;
        while (at + 40 <= table.length) {
            ByteBuffer fixed = ByteBuffer.wrap(table);
            add(fixed.getLong(at), 8L * Math.max(0, fixed.getInt(at + 8)));
            int names = (fixed.getShort(at + 12) & 0xffff) + (fixed.getShort(at + 14) & 0xffff);
            at = (at + 40 + Math.max(0, fixed.getInt(at + 36)) + names + 7) & -8;
        }
    }

    /** Where the header says of bitmaps; 0 if it says nothing. */
    private int bitmapsExtensionAt() throws DiskException {
        int at = reading.facts.tables().headerLength();
        while (reading.facts.version() >= 3 && at + 8 <= reading.facts.clusterSize()) {
            ByteBuffer head = bytes(at, 8);
            int type = head.getInt(0);
            int length = head.getInt(4);
            if (type == BITMAPS_EXTENSION) {
                return at + 8;
            }
            if (type == 0 || length < 0 || length > reading.facts.clusterSize()) {
                return 0;
            }
            at += 8 + ((length + 7) & -8);
        }
        return 0;
    }

    private ByteBuffer bytes(long offset, int length) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        file.readZeroPadded(offset, bytes);
        return bytes.flip();
    }

    private void addBitmaps(int at) throws DiskException {
        ByteBuffer extension = bytes(at, 24);
        long directory = extension.getLong(16);
        long length = Math.min(extension.getLong(8), LARGEST_TABLE);
        add(directory, length);
        long entry = directory;
        for (int i = 0; i < Math.min(extension.getInt(0), MOST_BITMAPS) && entry + 24 <= directory + length; i++) {
            ByteBuffer fixed = bytes(entry, 24);
            int entries = Math.max(0, Math.min(fixed.getInt(8), LARGEST_TABLE / 8));
            add(fixed.getLong(0), 8L * entries);
            ByteBuffer table = bytes(Math.max(0, fixed.getLong(0)), 8 * entries);
            while (table.hasRemaining()) {
                long data = table.getLong() & OFFSET;
                add(data, data == 0 ? 0 : 1);
            }
            entry = (entry + 24 + (fixed.getShort(18) & 0xffff) + Math.max(0, fixed.getInt(20)) + 7) & -8L;
        }
    }
}
