package dev.qcow2.spec.trace;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.ImageFacts.EntryWords;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tables of an image at one moment, as bytes. What has not changed since an earlier reading is the same array again, so
 * that two readings are compared quickly.
 */
final class ImageReading {

    static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle SHORTS = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);

    /** An L1 table and the L2 tables that it names, by index. Two are never compared as a whole. */
    @SuppressWarnings("ArrayRecordComponent")
    record Root(byte[] l1, Map<Integer, byte[]> tables) {

        static final Root EMPTY = new Root(new byte[0], Map.of());

        int entries() {
            return l1.length / 8;
        }

        long word(int index) {
            return index < entries() ? (long) LONGS.get(l1, index * 8) : 0;
        }
    }

    final ImageFacts facts;
    final byte[] header;
    final Root active;
    final byte[] snapshotTable;
    final Map<String, Root> snapshots = new LinkedHashMap<>();
    final byte[] refcountTable;
    final Map<Integer, byte[]> blocks = new HashMap<>();
    final Set<Long> structures;

    private final HostFile file;
    private final long fileSize;
    private @Nullable ImageReading previous;
    private final Map<Long, byte[]> tablesByOffset = new HashMap<>();
    private byte[] scratch;

    private ImageReading(HostFile file, @Nullable ImageReading previous) throws DiskException {
        this.file = file;
        this.fileSize = file.size();
        this.previous = previous;
        this.scratch = previous == null ? new byte[0] : previous.scratch;
        ByteBuffer first = ByteBuffer.allocate(ImageFacts.HEADER_BYTES);
        file.readZeroPadded(0, first);
        this.header =
                previous != null && Arrays.equals(first.array(), previous.header) ? previous.header : first.array();
        this.facts = previous != null && previous.header == header ? previous.facts : ImageFacts.of(first.rewind());
        ImageFacts.Tables tables = facts.tables();
        this.refcountTable = read(
                tables.refcountTableOffset(),
                tables.refcountTableBytes(),
                previous == null ? null : previous.refcountTable);
        readBlocks();
        this.active = root(tables.l1Offset(), tables.l1Entries(), previous == null ? null : previous.active);
        this.snapshotTable = readSnapshots();
        this.structures = new StructureClusters(this, file).since(previous);
    }

    /** Reads the tables of an image. */
    static ImageReading of(HostFile file, @Nullable ImageReading previous) throws DiskException {
        ImageReading reading = new ImageReading(file, previous);
        // A chain of earlier readings would keep all of them in memory.
        reading.previous = null;
        return reading;
    }

    /** Reads bytes; returns the earlier ones if they are the same. What lies outside of the file is zero. */
    private byte[] read(long offset, int length, byte @Nullable [] earlier) throws DiskException {
        if (offset < 0 || offset >= fileSize) {
            return new byte[0];
        }
        if (scratch.length < length) {
            scratch = new byte[length];
        }
        file.readZeroPadded(offset, ByteBuffer.wrap(scratch, 0, length));
        if (earlier != null && earlier.length == length && Arrays.equals(scratch, 0, length, earlier, 0, length)) {
            return earlier;
        }
        return Arrays.copyOf(scratch, length);
    }

    private void readBlocks() throws DiskException {
        for (int i = 0; i < refcountTable.length / 8; i++) {
            long offset = (long) LONGS.get(refcountTable, i * 8) & -512L;
            if (offset != 0) {
                blocks.put(i, read(offset, facts.clusterSize(), previous == null ? null : previous.blocks.get(i)));
            }
        }
    }

    private Root root(long offset, int entries, @Nullable Root earlier) throws DiskException {
        byte[] l1 = read(offset, entries * 8, earlier == null ? null : earlier.l1);
        Map<Integer, byte[]> tables = new HashMap<>();
        for (int i = 0; i < l1.length / 8; i++) {
            long table = (long) LONGS.get(l1, i * 8) & EntryWords.OFFSET;
            if (table != 0) {
                tables.put(i, table(table));
            }
        }
        return new Root(l1, tables);
    }

    private byte[] table(long offset) throws DiskException {
        byte[] known = tablesByOffset.get(offset);
        if (known == null) {
            byte[] earlier = previous == null ? null : previous.tablesByOffset.get(offset);
            known = read(offset, facts.clusterSize(), earlier);
            tablesByOffset.put(offset, known);
        }
        return known;
    }

    private byte[] readSnapshots() throws DiskException {
        long at = facts.tables().snapshotsOffset();
        long start = at;
        for (int i = 0; i < facts.tables().snapshots() && at >= 0 && at < fileSize; i++) {
            byte[] fixed = read(at, 40, null);
            if (fixed.length == 0) {
                break;
            }
            int extra = (int) INTS.get(fixed, 36);
            int idLength = (short) SHORTS.get(fixed, 12) & 0xffff;
            int nameLength = (short) SHORTS.get(fixed, 14) & 0xffff;
            long idAt = at + 40 + Math.max(0, extra);
            String id = new String(read(idAt, idLength, null), StandardCharsets.UTF_8);
            int entries = Math.max(0, Math.min((int) INTS.get(fixed, 8), 4 << 20));
            Root earlier = previous == null ? null : previous.snapshots.get(id);
            snapshots.put(id, root((long) LONGS.get(fixed, 0), entries, earlier));
            at = (idAt + idLength + nameLength + 7) & -8L;
        }
        int length = (int) Math.min(Math.max(0, at - start), 64 << 20);
        return length == 0 ? new byte[0] : read(start, length, previous == null ? null : previous.snapshotTable);
    }

    /** The count of a host cluster as the file has it. */
    long storedCount(long host) {
        byte[] block = blocks.get((int) (host >>> facts.blockBits()));
        if (block == null || block.length == 0) {
            return 0;
        }
        long index = host & ((1L << facts.blockBits()) - 1);
        return countIn(block, (int) index);
    }

    private long countIn(byte[] block, int index) {
        int order = facts.countOrder();
        return switch (order) {
            case 3 -> block[index] & 0xffL;
            case 4 -> (short) SHORTS.get(block, index * 2) & 0xffffL;
            case 5 -> (int) INTS.get(block, index * 4) & 0xffff_ffffL;
            case 6 -> (long) LONGS.get(block, index * 8);
            default ->
                // QC-REF-08: the first count of a byte is in its least significant bits.
                (block[index >> (3 - order)] >> ((index & ((1 << (3 - order)) - 1)) << order))
                        & ((1 << (1 << order)) - 1);
        };
    }

    /** The count of a host cluster without the reference that a table of the file itself has. */
    long count(long host) {
        return storedCount(host) - (structures.contains(host) ? 1 : 0);
    }

    /** What a slot of an L2 table says. */
    EntryState entry(byte @Nullable [] table, int slot) {
        if (table == null || table.length == 0) {
            return EntryState.NONE;
        }
        int at = slot * facts.entryBytes();
        long bitmap = facts.extended() ? (long) LONGS.get(table, at + 8) : 0;
        return facts.entry((long) LONGS.get(table, at), bitmap);
    }
}
