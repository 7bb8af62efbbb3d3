package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/**
 * Makes a new image: header, refcount table, the first refcount block, L1 table, the LUKS header if it is encrypted, and what
 * refcount blocks it needs beyond the first, one after the other from cluster 0, and no guest data. So QEMU does, and programs
 * that look at fixed places find what they expect. The header is written last, so that a half-made file is no image.
 */
final class ImageCreator {

    private static final int HIGHEST_NAME_LENGTH = 1023;
    private static final long HIGHEST_L1_BYTES = 32 << 20;

    /** The feature name table would fill a good part of smaller clusters, which have names and bitmaps to hold. */
    private static final int SMALLEST_CLUSTER_WITH_FEATURE_NAMES = 8192;

    private final String fileName;
    private final CreateOptions options;
    private final Geometry geometry;
    private final long l1Clusters;
    private final long blocks;
    private final long tableClusters;
    private final Locker locker;
    private final long lockClusters;

    ImageCreator(String fileName, CreateOptions options, Random random) throws DiskException {
        this.fileName = fileName;
        this.options = options;
        this.locker = new Locker(options.features().encryption(), random);
        this.geometry = new Geometry(
                options.clusterBits(),
                options.refcountOrder(),
                options.size(),
                options.features().extendedL2());
        long l1Bytes = geometry.l1EntriesNeeded() * Geometry.ENTRY_BYTES;
        require(l1Bytes <= HIGHEST_L1_BYTES, LimitClause.QC_LIM_02, "the disk is too large for its clusters");
        this.l1Clusters = geometry.clustersFor(l1Bytes);
        this.lockClusters = geometry.clustersFor(locker.areaBytes());
        // The blocks count the blocks (QC-REF-10), so their number is found by trying.
        long blockCount = 1;
        while (blockCount * geometry.countsPerBlock() < clustersWith(blockCount)) {
            blockCount++;
        }
        this.blocks = blockCount;
        this.tableClusters = tableClustersFor(blockCount);
    }

    private long tableClustersFor(long blockCount) {
        return geometry.clustersFor(blockCount * Geometry.ENTRY_BYTES);
    }

    private long clustersWith(long blockCount) {
        return 1 + tableClustersFor(blockCount) + blockCount + l1Clusters + lockClusters;
    }

    /** Makes the file. */
    void create(HostDirectory directory) throws DiskException {
        // Refused before an existing file is replaced.
        ByteBuffer first = firstCluster();
        if (options.features().dataFile().isPresent()) {
            createDataFile(directory, options.features().dataFile().get().name());
        }
        try (HostFile file = directory.create(fileName)) {
            file.truncate(length());
            for (long i = 0; i < blocks; i++) {
                HostCluster block = block(i);
                file.write(geometry.hostOffset(new HostCluster(1)) + i * Geometry.ENTRY_BYTES, entry(block));
                file.write(geometry.hostOffset(block), countsOf(i));
            }
            file.write(lockOffset(), locker.area());
            file.flush();
            file.write(0, first);
            file.flush();
        }
    }

    /** The first block is in front of the L1 table, all others are at the end. */
    private HostCluster block(long index) {
        return new HostCluster(index == 0 ? 1 + tableClusters : clustersWith(blocks) - blocks + index);
    }

    private long l1Offset() {
        return geometry.hostOffset(new HostCluster(1 + tableClusters + 1));
    }

    /** A file that ends in the L1 table ends with the last entry: what is behind reads as zero. */
    private long length() {
        boolean endsInTable = l1Clusters > 0 && lockClusters == 0 && blocks == 1;
        return endsInTable
                ? l1Offset() + geometry.l1EntriesNeeded() * Geometry.ENTRY_BYTES
                : clustersWith(blocks) << geometry.clusterBits();
    }

    private void createDataFile(HostDirectory directory, String name) throws DiskException {
        int length = name.getBytes(StandardCharsets.UTF_8).length;
        boolean fits = length > 0 && length <= HIGHEST_NAME_LENGTH;
        require(fits, DataFileClause.QC_DATA_07, "the data file's name has " + length + " bytes");
        String target = directory.resolve(fileName, name);
        boolean same = target.equals(fileName) || target.equals(directory.resolve(fileName, lastPart()));
        require(!same, DataFileClause.QC_DATA_13, "the data file is the image itself");
        DataFile.create(directory, fileName, name, options.size());
    }

    /** The image's name in its own directory. */
    private String lastPart() {
        return fileName.substring(fileName.lastIndexOf('/') + 1);
    }

    private ByteBuffer entry(HostCluster block) {
        return PlanParts.entryBytes(geometry.hostOffset(block));
    }

    /** One block's counts: 1 for each cluster of the new file (QC-REF-03). */
    private ByteBuffer countsOf(long blockIndex) {
        ByteBuffer block = ByteBuffer.allocate(geometry.clusterSize());
        long used = clustersWith(blocks) - blockIndex * geometry.countsPerBlock();
        for (int place = 0; place < Math.min(used, geometry.countsPerBlock()); place++) {
            Counts.put(block, place, options.refcountOrder(), 1);
        }
        return block;
    }

    private ByteBuffer firstCluster() throws DiskException {
        byte[] name = options.backing()
                .map(b -> b.name().getBytes(StandardCharsets.UTF_8))
                .orElse(new byte[0]);
        require(name.length <= HIGHEST_NAME_LENGTH, HeaderClause.QC_HDR_05, "the name has " + name.length + " bytes");
        require(
                options.backing().isEmpty() || name.length > 0,
                HeaderClause.QC_HDR_05,
                "the backing file's name is empty");
        int headerLength = options.version() == 2 ? Header.VERSION_2_LENGTH : Header.KNOWN_LENGTH;
        ByteBuffer format = options.backing()
                .flatMap(CreateOptions.Backing::format)
                .map(f -> f.formatName().getBytes(StandardCharsets.US_ASCII))
                .map(f -> HeaderExtension.encode(HeaderExtension.BACKING_FORMAT, f))
                .orElse(ByteBuffer.allocate(0));
        ByteBuffer dataFile = options.features()
                .dataFile()
                .map(d -> d.name().getBytes(StandardCharsets.UTF_8))
                .map(n -> HeaderExtension.encode(HeaderExtension.DATA_FILE, n))
                .orElse(ByteBuffer.allocate(0));
        ByteBuffer lock = locker.extension(lockOffset());
        ByteBuffer names = HeaderExtension.encode(HeaderExtension.FEATURE_NAMES, FeatureBits.nameTable());
        ByteBuffer end = HeaderExtension.encode(HeaderExtension.END, new byte[0]);
        int needed = headerLength
                + format.remaining()
                + dataFile.remaining()
                + lock.remaining()
                + end.remaining()
                + name.length;
        require(
                needed <= geometry.clusterSize(),
                ExtensionClause.QC_EXT_08,
                "the first cluster has no room for the name");
        // QC-EXT-07 is a courtesy of version 3, and left out where it does not fit.
        boolean named = options.version() == 3
                && geometry.clusterSize() >= SMALLEST_CLUSTER_WITH_FEATURE_NAMES
                && needed + names.remaining() <= geometry.clusterSize();
        int nameOffset = needed - name.length + (named ? names.remaining() : 0);
        ByteBuffer first = ByteBuffer.allocate(nameOffset + name.length);
        first.put(header(headerLength, nameOffset, name.length).encode())
                .put(format)
                .put(dataFile)
                .put(lock);
        if (named) {
            first.put(names);
        }
        return first.put(end).put(name).flip();
    }

    private long lockOffset() {
        return geometry.hostOffset(new HostCluster(1 + tableClusters + 1 + l1Clusters));
    }

    private Header header(int length, int nameOffset, int nameLength) {
        int compressionType = Codec.typeOf(options.features().compression());
        long incompatible = (compressionType == 0 ? 0 : FeatureBits.COMPRESSION_TYPE)
                | (geometry.extendedL2() ? FeatureBits.EXTENDED_L2 : 0)
                | (options.features().dataFile().isPresent() ? FeatureBits.DATA_FILE : 0);
        boolean raw = options.features().dataFile().map(d -> d.raw()).orElse(false);
        return new Header(
                options.version(),
                nameLength == 0 ? 0 : nameOffset,
                nameLength,
                options.clusterBits(),
                options.size(),
                locker.cryptMethod(),
                (int) geometry.l1EntriesNeeded(),
                l1Clusters == 0 ? 0 : l1Offset(),
                geometry.hostOffset(new HostCluster(1)),
                (int) tableClusters,
                0,
                0,
                incompatible,
                options.features().lazyRefcounts() ? FeatureBits.LAZY_REFCOUNTS : 0,
                raw ? FeatureBits.RAW_DATA : 0,
                options.refcountOrder(),
                length,
                compressionType);
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(fileName, clause, reason);
        }
    }
}
