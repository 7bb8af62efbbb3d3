package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.formal.Observation.Entry;
import dev.qcow2.conformance.formal.Observation.Saved;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Sees an image: reads its tables and data from the bytes of the file, and asks no implementation. It also counts every
 * reference from header, tables and entries, so that a leak is seen that no entry tells of.
 *
 * <p>It knows the images of {@link ModelImage} and no more: no data file, no encryption, no bitmaps.
 */
final class ImageObserver {

    private static final long OFFSET_MASK = 0x00fffffffffffe00L;
    private static final long COMPRESSED = 1L << 62;
    private static final int MOST_CLUSTERS = 1 << 16;

    private final ModelImage image;
    private final HostFile file;
    private final ByteBuffer header;
    private final int clusterBits;
    private final int entryBytes;
    private final int refcountOrder;
    private int[] references = new int[64];
    private final List<String> faults = new ArrayList<>();
    private final Map<Object, Integer> dataCounts = new HashMap<>();
    private final Map<Long, Boolean> tablesCopied = new HashMap<>();

    private ImageObserver(ModelImage image, HostFile file) throws DiskException {
        this.image = image;
        this.file = file;
        this.header = read(0, 104);
        this.clusterBits = Math.max(9, Math.min(21, header.getInt(20)));
        this.entryBytes = image.extended() ? 16 : 8;
        this.refcountOrder = header.getInt(4) == 2 ? 4 : header.getInt(96);
    }

    /**
     * What was seen.
     *
     * @param observation the state of the image
     * @param faults what is wrong with it, whatever state it shall have
     */
    record Sight(Observation observation, List<String> faults) {}

    /**
     * Looks at an image.
     *
     * @param image of which bound it is
     * @param file its bytes
     * @param guest what an implementation reads from the disk; must be what the tables say
     */
    static Sight look(ModelImage image, HostFile file, byte[] guest) throws DiskException {
        ImageObserver observer = new ImageObserver(image, file);
        Observation observation = observer.observe(guest);
        return new Sight(observation, observer.faults);
    }

    private Observation observe(byte[] guest) throws DiskException {
        long bytes = header.getLong(24);
        List<Entry> entries = entries(header.getLong(40), header.getInt(36), true);
        Map<String, Saved> saved = snapshots();
        tally();
        int size = clustersOf(bytes);
        List<String> stored = guest(entries, size);
        List<String> shown = shown(image, guest);
        if (!stored.equals(shown)) {
            faults.add("the tables say that the disk holds " + stored + ", a read finds " + shown);
        }
        return new Observation(size, shown, entries, saved, dataCounts);
    }

    private int clustersOf(long bytes) {
        return Math.toIntExact(bytes / image.clusterBytes());
    }

    // The tables.

    private List<Entry> entries(long l1Offset, int l1Size, boolean active) throws DiskException {
        List<Entry> entries = new ArrayList<>();
        long perTable = (1L << clusterBits) / entryBytes;
        refer(l1Offset, (long) l1Size * 8);
        for (int i = 0; i < Math.min(l1Size, MOST_CLUSTERS); i++) {
            long l1Entry = read(l1Offset + i * 8L, 8).getLong(0);
            long table = l1Entry & OFFSET_MASK;
            if (table != 0) {
                refer(table, 1L << clusterBits);
                if (active) {
                    tablesCopied.put(table >>> clusterBits, l1Entry < 0);
                }
                ByteBuffer bytes = read(table, 1 << clusterBits);
                for (int j = 0; j < perTable; j++) {
                    boolean known = i * perTable + j < image.clusters();
                    if (known || bytes.getLong(j * entryBytes) != 0) {
                        Entry entry = entry(bytes, j * entryBytes, active);
                        if (known) {
                            remember(entry);
                            entries.add(entry);
                        }
                    }
                }
            }
        }
        while (entries.size() < image.clusters()) {
            entries.add(entry(ByteBuffer.allocate(entryBytes), 0, active));
        }
        return entries;
    }

    /** What an entry says; what it refers to is counted. */
    private Entry entry(ByteBuffer table, int at, boolean active) {
        long entry = table.getLong(at);
        if ((entry & COMPRESSED) != 0) {
            int width = 62 - (clusterBits - 8);
            long start = entry & ((1L << width) - 1);
            long sectors = (entry & (COMPRESSED - 1)) >>> width;
            long end = (start & -512L) + (sectors + 1) * 512;
            refer(start, end - start);
            long head = start >>> clusterBits;
            long tail = (end - 1) >>> clusterBits;
            return new Entry("compressed", head, tail == head ? Observation.NOWHERE : tail, start, active && entry < 0);
        }
        long host = entry & OFFSET_MASK;
        if (host != 0) {
            refer(host, 1L << clusterBits);
        }
        Object name = host == 0 ? Observation.NOWHERE : host >>> clusterBits;
        return new Entry(states(table, at, host), name, Observation.NOWHERE, Observation.NOWHERE, active && entry < 0);
    }

    private String states(ByteBuffer table, int at, long host) {
        if (!image.extended()) {
            boolean zero = (table.getLong(at) & 1) != 0;
            return zero ? "zero" : host == 0 ? "none" : "data";
        }
        long bits = table.getLong(at + 8);
        StringBuilder states = new StringBuilder();
        for (int part = 0; part < image.subclusters(); part++) {
            boolean zero = (bits >>> (32 + part) & 1) != 0;
            boolean data = (bits >>> part & 1) != 0;
            states.append(part == 0 ? "" : ",").append(zero ? data ? "both" : "zero" : data ? "data" : "none");
        }
        return states.toString();
    }

    private Map<String, Saved> snapshots() throws DiskException {
        Map<String, Saved> saved = new TreeMap<>();
        long start = header.getLong(64);
        long at = start;
        for (int i = 0; i < Math.min(header.getInt(60), 64); i++) {
            ByteBuffer head = read(at, 40);
            int idLength = Short.toUnsignedInt(head.getShort(12));
            int nameLength = Short.toUnsignedInt(head.getShort(14));
            int extra = Math.min(head.getInt(36), 1024);
            long bytes = extra >= 16 ? read(at + 48, 8).getLong(0) : header.getLong(24);
            byte[] name = new byte[nameLength];
            read(at + 40 + extra + idLength, nameLength).get(name);
            List<Entry> entries = entries(head.getLong(0), head.getInt(8), false);
            int size = clustersOf(bytes);
            saved.put(new String(name, StandardCharsets.UTF_8), new Saved(size, guest(entries, size), entries));
            at += (40 + extra + idLength + nameLength + 7) & ~7;
        }
        if (at > start) {
            refer(start, at - start);
        }
        return saved;
    }

    // Reference counts.

    private void refer(long offset, long length) {
        long last = (offset + length - 1) >>> clusterBits;
        if (length <= 0) {
            return;
        }
        if (offset < 0 || last < 0 || last > MOST_CLUSTERS) {
            faults.add("a reference to host offset " + offset);
            return;
        }
        for (int cluster = (int) (offset >>> clusterBits); cluster <= last; cluster++) {
            if (cluster >= references.length) {
                references = Arrays.copyOf(references, 2 * cluster);
            }
            references[cluster]++;
        }
    }

    /** Compares all counts with the references. */
    private void tally() throws DiskException {
        refer(0, 1);
        long table = header.getLong(48);
        int clusters = Math.max(0, Math.min(header.getInt(56), 64));
        refer(table, (long) clusters << clusterBits);
        ByteBuffer blocks = read(table, clusters << clusterBits);
        int perBlock = 1 << (clusterBits + 3 - refcountOrder);
        for (int at = 0; at < blocks.capacity(); at += 8) {
            if (blocks.getLong(at) != 0) {
                refer(blocks.getLong(at) & -512L, 1L << clusterBits);
            }
        }
        for (int at = 0; at < blocks.capacity(); at += 8) {
            long block = blocks.getLong(at) & -512L;
            int first = at / 8 * perBlock;
            ByteBuffer counts = block == 0 ? ByteBuffer.allocate(0) : read(block, 1 << clusterBits);
            for (int i = 0; i < perBlock && (block != 0 || first + i < references.length); i++) {
                compare(first + i, block == 0 ? 0 : count(counts, i));
            }
        }
    }

    private void compare(int cluster, long count) {
        int expected = cluster < references.length ? references[cluster] : 0;
        if (count != expected) {
            faults.add("host cluster " + cluster + " has the count " + count + ", " + expected + " references");
        }
        Boolean copied = tablesCopied.get((long) cluster);
        if (copied != null && copied != (count == 1)) {
            faults.add("the L1 entry of table " + cluster + ", with the count " + count + ", has COPIED " + copied);
        }
        if (count != 0 && dataCounts.containsKey((long) cluster)) {
            dataCounts.put((long) cluster, (int) count);
        }
    }

    private long count(ByteBuffer block, int index) {
        return switch (refcountOrder) {
            case 0, 1, 2 -> {
                int bits = 1 << refcountOrder;
                // QC-REF-08: narrow counts start at the least significant bit.
                yield block.get(index * bits / 8) >>> (index * bits % 8) & ((1 << bits) - 1);
            }
            case 3 -> Byte.toUnsignedLong(block.get(index));
            case 4 -> Short.toUnsignedLong(block.getShort(index * 2));
            case 5 -> Integer.toUnsignedLong(block.getInt(index * 4));
            default -> block.getLong(index * 8);
        };
    }

    // What the guest sees.

    /** Names what a read of the whole disk found, cluster by cluster. */
    static List<String> shown(ModelImage image, byte[] guest) {
        List<String> clusters = new ArrayList<>();
        for (int cluster = 0; cluster < image.clusters(); cluster++) {
            StringBuilder blocks = new StringBuilder();
            for (int block = 0; block < image.blocks(); block++) {
                int at = Math.toIntExact(image.offset(cluster, block));
                blocks.append(
                        at < guest.length
                                ? name(image, cluster, block, ByteBuffer.wrap(guest, at, image.blockBytes()))
                                : ModelImage.ZERO);
            }
            clusters.add(blocks.toString());
        }
        return clusters;
    }

    private List<String> guest(List<Entry> entries, int size) throws DiskException {
        List<String> clusters = new ArrayList<>();
        for (int cluster = 0; cluster < image.clusters(); cluster++) {
            StringBuilder blocks = new StringBuilder();
            for (int block = 0; block < image.blocks(); block++) {
                blocks.append(
                        cluster < size
                                ? name(image, cluster, block, stored(entries.get(cluster), cluster, block))
                                : ModelImage.ZERO);
            }
            clusters.add(blocks.toString());
        }
        return clusters;
    }

    private ByteBuffer stored(Entry entry, int cluster, int block) throws DiskException {
        if (entry.states().equals("compressed")) {
            byte[] content = inflated((Long) entry.stream(), image.clusterBytes());
            return ByteBuffer.wrap(content, block * image.blockBytes(), image.blockBytes());
        }
        String state = entry.states().split(",", -1)[image.subclusterOf(block)];
        return switch (state) {
            case "none" -> image.backing(cluster, block);
            case "data" ->
                entry.host() == Observation.NOWHERE
                        ? ByteBuffer.allocate(image.blockBytes()).putLong(0, -1)
                        : read(
                                ((Long) entry.host() << clusterBits) + (long) block * image.blockBytes(),
                                image.blockBytes());
            default -> ByteBuffer.allocate(image.blockBytes());
        };
    }

    private void remember(Entry entry) {
        if (entry.host() != Observation.NOWHERE) {
            dataCounts.putIfAbsent(entry.host(), 0);
        }
        if (entry.tail() != Observation.NOWHERE) {
            dataCounts.putIfAbsent(entry.tail(), 0);
        }
    }

    private byte[] inflated(long start, int length) throws DiskException {
        byte[] content = new byte[length];
        Inflater inflater = new Inflater(true);
        inflater.setInput(read(start, 2 * length));
        try {
            inflater.inflate(content);
        } catch (DataFormatException e) {
            faults.add("compressed data at host offset " + start + " is broken: " + e.getMessage());
        } finally {
            inflater.end();
        }
        return content;
    }

    /** The model's name for what a block holds. */
    private static String name(ModelImage image, int cluster, int block, ByteBuffer bytes) {
        if (bytes.equals(ByteBuffer.allocate(image.blockBytes()))) {
            return ModelImage.ZERO;
        }
        for (String value : image.names()) {
            if (bytes.equals(image.pattern(value, image.offset(cluster, block), image.blockBytes()))) {
                return value;
            }
        }
        return bytes.equals(image.backing(cluster, block)) ? ModelImage.BACKING : "?";
    }

    private ByteBuffer read(long offset, int length) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        if (offset >= 0) {
            file.readZeroPadded(offset, bytes);
        }
        return bytes.clear();
    }
}
