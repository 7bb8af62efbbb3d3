package dev.qcow2.conformance.image;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.DataFile;
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
    private static final int SUBCLUSTERS = 32;
    private static final long DATA_FILE_BIT = 1 << 2;
    private static final long COMPRESSION_BIT = 1 << 3;
    private static final long EXTENDED_L2_BIT = 1 << 4;
    private static final long RAW_DATA_BIT = 1 << 1;
    private static final int DATA_FILE_EXTENSION = 0x44415441;

    private final Layer layer;
    private final Optional<Backing> backing;
    private final int clusterSize;
    private final int words;
    private final int tableEntries;
    private final CompressedPacker packer;
    private final List<Integer> counts = new ArrayList<>();
    private final TreeMap<Long, long[]> activeTables = new TreeMap<>();
    private final TreeMap<Long, long[]> snapshotTables = new TreeMap<>();
    private final MemoryFileContent content = new MemoryFileContent();
    private final MemoryHostFile file = new MemoryHostFile("built", content, Access.READ_WRITE, true);

    private ImageBuilder(Layer layer, Optional<Backing> backing) {
        this.layer = layer;
        this.backing = backing;
        this.clusterSize = layer.clusterSize();
        // QC-SUB-01: an extended entry is twice as long.
        this.words = layer.features().extendedL2() ? 2 : 1;
        this.tableEntries = clusterSize / ENTRY / words;
        this.packer = new CompressedPacker(layer, counts, file);
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
                .filter(run -> run.state().hasHostCluster() || run.state() == ClusterState.COMPRESSED)
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
        Sharing sharing = layer.traits().sharing();
        boolean shared = sharing == Sharing.TABLES || (sharing == Sharing.CLUSTERS && run.shared());
        long bits = words == 2 ? subclusterBits(run, cluster) : 0;
        // QC-L2-07, QC-SUB-09: bit 0 makes a cluster read as zero; in an extended entry the zero bits do.
        boolean zero = run.state() == ClusterState.ZERO_PLAIN || run.state() == ClusterState.ZERO_ALLOCATED;
        long entry = zero && words == 1 ? 1 : 0;
        boolean copied = false;
        if (run.state() == ClusterState.COMPRESSED) {
            entry = packer.pack(data(run, cluster), shared ? 2 : 1);
        } else if (run.state().hasHostCluster() && !(zero && isFirstOfDataFile(cluster))) {
            entry |= hostCluster(run, cluster, shared ? 2 : 1);
            // QC-L2-03, QC-DATA-04: COPIED says that the count is 1; a data file has no counts.
            copied = !shared;
        }
        put(activeTables, cluster, copied ? entry | COPIED : entry, bits);
        if (sharing == Sharing.CLUSTERS && run.shared()) {
            put(snapshotTables, cluster, entry, bits);
        }
    }

    /** Its offset is 0, and so a zero cluster there looks like one without a host cluster. */
    private boolean isFirstOfDataFile(long cluster) {
        return cluster == 0 && words == 1 && layer.features().dataFile().isPresent();
    }

    private long hostCluster(Run run, long cluster, int count) throws DiskException {
        if (layer.features().dataFile().isPresent()) {
            return cluster * clusterSize;
        }
        long offset = allocate(1);
        file.write(offset, data(run, cluster));
        counts.set((int) (offset / clusterSize), count);
        return offset;
    }

    /** QC-SUB-03, QC-SUB-04: bit x for an allocated subcluster, bit 32 + x for one that reads as zeros. */
    private static long subclusterBits(Run run, long cluster) {
        long bits = 0;
        for (int i = 0; i < SUBCLUSTERS; i++) {
            bits |= switch (run.state().ofSubcluster(i, turn(run, cluster))) {
                case NORMAL -> 1L << i;
                case ZERO_PLAIN, ZERO_ALLOCATED -> 1L << (SUBCLUSTERS + i);
                case UNALLOCATED, COMPRESSED, RESERVED, MIXED, MIXED_PLAIN -> 0;
            };
        }
        return bits;
    }

    /** Where a mixed cluster of a run begins with its states. */
    static int turn(Run run, long cluster) {
        return (int) (run.fill() + cluster - run.first());
    }

    private void put(SortedMap<Long, long[]> tables, long cluster, long entry, long bits) {
        long[] table = tables.computeIfAbsent(cluster / tableEntries, index -> new long[tableEntries * words]);
        int at = (int) (cluster % tableEntries) * words;
        table[at] = entry;
        if (words == 2) {
            table[at + 1] = bits;
        }
    }

    /** The bytes of a cluster: those of the guest up to the end of the disk, stale ones where it reads as zero. */
    private ByteBuffer data(Run run, long cluster) {
        ByteBuffer bytes = ByteBuffer.allocate(clusterSize);
        if (run.state() == ClusterState.NORMAL || run.state() == ClusterState.COMPRESSED) {
            bytes.limit((int) Math.min(clusterSize, layer.size() - cluster * clusterSize));
        }
        Fill.write(run.fill(), (cluster - run.first()) * clusterSize, bytes);
        return ByteBuffer.wrap(bytes.array());
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
        boolean zstd = layer.features().compression() == Compression.ZSTD;
        // QC-HDR-13: older writers end the header before the compression type.
        int headerLength = version3 ? zstd ? 112 : 104 : 72;
        ByteBuffer header = ByteBuffer.allocate(clusterSize);
        header.position(headerLength);
        byte[] name = backing.map(file -> file.name().getBytes(StandardCharsets.UTF_8))
                .orElse(new byte[0]);
        backing.flatMap(Backing::format)
                .ifPresent(format ->
                        extension(header, 0xe2792aca, format.formatName().getBytes(StandardCharsets.US_ASCII)));
        layer.features()
                .dataFile()
                .ifPresent(data ->
                        extension(header, DATA_FILE_EXTENSION, data.name().getBytes(StandardCharsets.UTF_8)));
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
            putFeatures(header);
            header.putInt(layer.refcountOrder()).putInt(headerLength);
            if (zstd) {
                header.put(104, (byte) 1);
            }
        }
        file.write(0, header.rewind());
    }

    private void putFeatures(ByteBuffer header) {
        FormatFeatures features = layer.features();
        long incompatible = (features.dataFile().isPresent() ? DATA_FILE_BIT : 0)
                | (features.compression() == Compression.ZSTD ? COMPRESSION_BIT : 0)
                | (features.extendedL2() ? EXTENDED_L2_BIT : 0);
        boolean raw = features.dataFile().filter(DataFile::raw).isPresent();
        header.putLong(incompatible).putLong(features.lazyRefcounts() ? 1 : 0).putLong(raw ? RAW_DATA_BIT : 0);
    }

    private static void extension(ByteBuffer header, int type, byte[] data) {
        header.putInt(type).putInt(data.length).put(data);
        header.position((header.position() + 7) & -8);
    }
}
