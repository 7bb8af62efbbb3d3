package dev.qcow2.conformance.image;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes a qcow2 file byte by byte: an image that somebody else made.
 *
 * <p>It uses neither implementation, and lays the file out as neither would: runs stand in the file
 * in reverse order, the header has an extension that nobody knows and, in version 3, the length 104
 * of older writers; clusters that read as zero keep stale bytes in their host clusters.
 */
public final class ImageBuilder {

    /** Name of the snapshot that a built image can have. */
    public static final String SNAPSHOT_NAME = "initial";

    /** Type of the extension that nobody knows (QC-EXT-04). */
    public static final int UNKNOWN_EXTENSION = 0x6b697421;

    private static final long COPIED = 1L << 63;
    private static final int ENTRY = Long.BYTES;

    private final Layer layer;
    private final Optional<Backing> backing;
    private final int clusterSize;
    private final int tableEntries;
    private final List<Integer> counts = new ArrayList<>();
    private final TreeMap<Long, long[]> activeTables = new TreeMap<>();
    private final TreeMap<Long, long[]> snapshotTables = new TreeMap<>();
    private final MemoryFileContent content = new MemoryFileContent();
    private final MemoryHostFile file = new MemoryHostFile("built", content, Access.READ_WRITE, true);

    private ImageBuilder(Layer layer, Optional<Backing> backing) {
        this.layer = layer;
        this.backing = backing;
        this.clusterSize = layer.clusterSize();
        this.tableEntries = clusterSize / ENTRY;
    }

    /**
     * Builds an image.
     *
     * @param layer what it is like
     * @param backing what it names as its backing file
     * @return the file
     * @throws DiskException never, for the file is in memory
     */
    public static MemoryFileContent build(Layer layer, Optional<Backing> backing) throws DiskException {
        return new ImageBuilder(layer, backing).build();
    }

    /**
     * Returns what the unknown extension holds.
     *
     * @return a new array
     */
    public static byte[] unknownExtensionData() {
        return new byte[] {1, 2, 3, 4, 5};
    }

    /**
     * Builds a raw file.
     *
     * @param layer its size and content
     * @return the file
     * @throws DiskException never, for the file is in memory
     */
    public static MemoryFileContent buildRaw(Layer layer) throws DiskException {
        MemoryFileContent raw = new MemoryFileContent();
        MemoryHostFile file = new MemoryHostFile("raw", raw, Access.READ_WRITE, true);
        file.truncate(layer.size());
        for (Run run : layer.content()) {
            long start = run.first() << layer.clusterBits();
            long length = Math.min(run.count() << layer.clusterBits(), layer.size() - start);
            if (run.state() == ClusterState.NORMAL) {
                file.write(start, ByteBuffer.wrap(Fill.bytes(run.fill(), Math.toIntExact(length))));
            }
        }
        return raw;
    }

    private MemoryFileContent build() throws DiskException {
        int refcountClusters = reserveRefcounts();
        mapRuns();
        int l1Entries = l1Entries();
        long[] active = linkTables(activeTables, l1Entries, true);
        long[] snapshot = snapshotL1(active, l1Entries);
        long l1Offset = writeTable(active);
        long snapshotsOffset = layer.traits().sharing() == Sharing.NONE ? 0 : writeSnapshot(snapshot);
        writeRefcounts(refcountClusters);
        writeHeader(l1Offset, l1Entries, snapshotsOffset);
        return content;
    }

    /** Takes the header's cluster, and room for refcounts of the largest file that this layer can become. */
    private int reserveRefcounts() {
        long data = layer.content().stream()
                .filter(run -> run.state().hasHostCluster())
                .mapToLong(Run::count)
                .sum();
        long tables = 2 * (1 + layer.clusters() / tableEntries);
        long l1 = 2 * (1 + tables * ENTRY / clusterSize);
        long most = 1 + data + tables + l1 + 2;
        long blocks = 1;
        while (blocks * perBlock() < most + blocks + tableClusters(blocks)) {
            blocks++;
        }
        int clusters = Math.toIntExact(blocks + tableClusters(blocks));
        allocate(1 + clusters);
        return clusters;
    }

    private long perBlock() {
        return (clusterSize * 8L) >>> layer.refcountOrder();
    }

    private long tableClusters(long blocks) {
        return (blocks * ENTRY + clusterSize - 1) / clusterSize;
    }

    private long allocate(int clusters) {
        long offset = (long) counts.size() * clusterSize;
        for (int i = 0; i < clusters; i++) {
            counts.add(1);
        }
        return offset;
    }

    private void mapRuns() throws DiskException {
        for (int i = layer.content().size() - 1; i >= 0; i--) {
            Run run = layer.content().get(i);
            for (long k = 0; k < run.count(); k++) {
                mapCluster(run, run.first() + k);
            }
        }
    }

    private void mapCluster(Run run, long cluster) throws DiskException {
        if (run.state() == ClusterState.UNALLOCATED) {
            return;
        }
        Sharing sharing = layer.traits().sharing();
        boolean shared = sharing == Sharing.TABLES || (sharing == Sharing.CLUSTERS && run.shared());
        // QC-L2-07: bit 0 makes a cluster read as zero, with or without a host cluster.
        long entry = run.state() == ClusterState.NORMAL ? 0 : 1;
        if (run.state().hasHostCluster()) {
            long offset = allocate(1);
            writeData(run, cluster, offset);
            entry |= offset;
            counts.set((int) (offset / clusterSize), shared ? 2 : 1);
        }
        // QC-L2-03: COPIED says that the count is 1.
        boolean copied = run.state().hasHostCluster() && !shared;
        put(activeTables, cluster, copied ? entry | COPIED : entry);
        if (sharing == Sharing.CLUSTERS && run.shared()) {
            put(snapshotTables, cluster, entry);
        }
    }

    private void put(SortedMap<Long, long[]> tables, long cluster, long entry) {
        tables.computeIfAbsent(cluster / tableEntries, index -> new long[tableEntries])[
                (int) (cluster % tableEntries)] = entry;
    }

    private void writeData(Run run, long cluster, long offset) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(clusterSize);
        if (run.state() == ClusterState.NORMAL) {
            long end = Math.min(clusterSize, layer.size() - cluster * clusterSize);
            bytes.limit((int) end);
        }
        Fill.write(run.fill(), (cluster - run.first()) * clusterSize, bytes);
        file.write(offset, ByteBuffer.wrap(bytes.array()));
    }

    private int l1Entries() {
        long needed = (layer.clusters() + tableEntries - 1) / tableEntries;
        if (layer.traits().shortL1()) {
            needed = activeTables.isEmpty() ? 1 : activeTables.lastKey() + 1;
        }
        return Math.toIntExact(Math.max(1, needed));
    }

    private long[] linkTables(SortedMap<Long, long[]> tables, int l1Entries, boolean activeOnes) throws DiskException {
        boolean shared = activeOnes && layer.traits().sharing() == Sharing.TABLES;
        long[] l1 = new long[l1Entries];
        for (var table : tables.entrySet()) {
            long offset = writeTable(table.getValue());
            counts.set((int) (offset / clusterSize), shared ? 2 : 1);
            // QC-L1-03: accurate in the active table only.
            l1[table.getKey().intValue()] = activeOnes && !shared ? offset | COPIED : offset;
        }
        return l1;
    }

    private long[] snapshotL1(long[] active, int l1Entries) throws DiskException {
        return switch (layer.traits().sharing()) {
            case NONE -> new long[0];
            case TABLES -> active.clone();
            case CLUSTERS -> linkTables(snapshotTables, l1Entries, false);
        };
    }

    private long writeTable(long[] entries) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate((entries.length * ENTRY + clusterSize - 1) / clusterSize * clusterSize);
        bytes.asLongBuffer().put(entries);
        long offset = allocate(bytes.capacity() / clusterSize);
        file.write(offset, bytes);
        return offset;
    }

    private long writeSnapshot(long[] l1) throws DiskException {
        long l1Offset = writeTable(l1);
        byte[] id = {'1'};
        byte[] name = SNAPSHOT_NAME.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer entry = ByteBuffer.allocate(64);
        entry.putLong(l1Offset).putInt(l1.length);
        entry.putShort((short) id.length).putShort((short) name.length);
        entry.putInt(1).putInt(0).putLong(0).putInt(0);
        // QC-SNAP-07: VM state size and disk size.
        entry.putInt(16).putLong(0).putLong(layer.size());
        entry.put(id).put(name);
        long offset = allocate(1);
        file.write(offset, entry.rewind());
        return offset;
    }

    private void writeRefcounts(int clusters) throws DiskException {
        long perBlock = perBlock();
        long blocks = clusters;
        while (blocks + tableClusters(blocks) > clusters) {
            blocks--;
        }
        int tableClusters = (int) tableClusters(blocks);
        ByteBuffer table = ByteBuffer.allocate(tableClusters * clusterSize);
        for (int block = 0; block < blocks; block++) {
            long offset = (1L + tableClusters + block) * clusterSize;
            table.putLong(offset);
            ByteBuffer bytes = ByteBuffer.allocate(clusterSize);
            for (int i = 0; i < perBlock && block * perBlock + i < counts.size(); i++) {
                putCount(bytes, i, counts.get((int) (block * perBlock + i)));
            }
            file.write(offset, bytes.rewind());
        }
        file.write(clusterSize, table.rewind());
        refcountTableClusters = tableClusters;
        file.truncate((long) counts.size() * clusterSize);
    }

    private int refcountTableClusters;

    /** QC-REF-08: narrow counts fill a byte from its least significant bits upwards. */
    private void putCount(ByteBuffer block, int index, int count) {
        int bits = 1 << layer.refcountOrder();
        if (bits < 8) {
            int at = index * bits / 8;
            block.put(at, (byte) (block.get(at) | (count << (index * bits % 8))));
        } else {
            // QC-HDR-03: the least significant byte stands last, and counts fit it.
            block.put((index + 1) * (bits / 8) - 1, (byte) count);
        }
    }

    private void writeHeader(long l1Offset, int l1Entries, long snapshotsOffset) throws DiskException {
        boolean version3 = layer.version() == 3;
        int headerLength = version3 ? 104 : 72;
        ByteBuffer header = ByteBuffer.allocate(clusterSize);
        header.position(headerLength);
        byte[] name = backing.map(file -> file.name().getBytes(StandardCharsets.UTF_8))
                .orElse(new byte[0]);
        backing.flatMap(Backing::format)
                .ifPresent(format ->
                        extension(header, 0xe2792aca, format.formatName().getBytes(StandardCharsets.US_ASCII)));
        extension(header, UNKNOWN_EXTENSION, unknownExtensionData());
        header.putLong(0);
        int nameAt = header.position();
        header.put(name);
        header.rewind();
        header.putInt(0x514649fb).putInt(layer.version());
        header.putLong(name.length == 0 ? 0 : nameAt).putInt(name.length);
        header.putInt(layer.clusterBits()).putLong(layer.size()).putInt(0);
        header.putInt(l1Entries).putLong(l1Offset);
        header.putLong(clusterSize).putInt(refcountTableClusters);
        header.putInt(snapshotsOffset == 0 ? 0 : 1).putLong(snapshotsOffset);
        if (version3) {
            header.putLong(0)
                    .putLong(0)
                    .putLong(0)
                    .putInt(layer.refcountOrder())
                    .putInt(headerLength);
        }
        file.write(0, header.rewind());
    }

    private static void extension(ByteBuffer header, int type, byte[] data) {
        header.putInt(type).putInt(data.length).put(data);
        header.position((header.position() + 7) & -8);
    }
}
