package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_09;
import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_13;
import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_03;
import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_08;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_05;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_02;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_09;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_14;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Lays out a new image as QEMU does, so that programs which look at fixed places find what they expect: header, refcount table, one
 * refcount block, L1 table, LUKS area, and last the other refcount blocks, which only huge tables and tiny clusters need.
 */
final class ImageCreator {

    private static final int HEADER_BYTES = 112;

    /** Smaller clusters keep their room for other extensions; QEMU draws the line here. */
    private static final int NAMES_FROM_CLUSTER_BITS = 13;

    /** What the bitmaps extension takes, should the image ever have bitmaps. */
    private static final int ROOM_FOR_BITMAPS = 32;

    private final String fileName;
    private final CreateOptions options;
    private final int clusterBits;
    private final long l1Entries;
    private final long l1Clusters;
    private final @Nullable NewLuks luks;
    private final long luksClusters;
    private long tableClusters = 1;
    private long blocks = 1;

    private ImageCreator(String fileName, CreateOptions options, Random random) throws DiskException {
        this.fileName = fileName;
        this.options = options;
        this.clusterBits = options.clusterBits();
        this.l1Entries = ImageHeader.l1EntriesFor(
                options.size(), clusterBits, options.features().extendedL2());
        if (l1Entries > ImageHeader.MAX_L1_BYTES / 8) {
            throw refused(QC_LIM_02, "a disk of " + options.size() + " bytes needs an L1 table beyond 32 MiB");
        }
        this.l1Clusters = clusters(l1Entries * 8);
        this.luks = newLuks(random);
        this.luksClusters = luks == null ? 0 : clusters(luks.length());
        layOut();
    }

    private @Nullable NewLuks newLuks(Random random) throws DiskException {
        Encryption encryption = options.features().encryption().orElse(null);
        if (encryption == null) {
            return null;
        }
        requireEncryptable(encryption);
        return encryption.cipher() == Cipher.LEGACY_AES_128_CBC ? null : new NewLuks(encryption, random);
    }

    private void requireEncryptable(Encryption encryption) throws DiskException {
        if (encryption.iterations() > LuksHeader.MAX_ITERATIONS) {
            throw refused(QC_LIM_09, encryption.iterations() + " iterations, more than any reader would run");
        }
        Optional<FormatFeatures.DataFile> dataFile = options.features().dataFile();
        if (dataFile.isPresent() && dataFile.get().raw()) {
            throw refused(QC_DATA_09, "a data file can't be encrypted and be raw");
        }
    }

    static void create(HostDirectory directory, String fileName, CreateOptions options, Random random)
            throws DiskException {
        ImageCreator creator = new ImageCreator(fileName, options, random);
        ByteBuffer header = creator.header();
        creator.createDataFile(directory);
        try (HostFile host = directory.create(fileName)) {
            creator.write(host, header);
        }
    }

    private void createDataFile(HostDirectory directory) throws DiskException {
        Optional<FormatFeatures.DataFile> dataFile = options.features().dataFile();
        if (dataFile.isEmpty()) {
            return;
        }
        String name = directory.resolve(fileName, dataFile.get().name());
        if (name.equals(directory.resolve(fileName, fileName))) {
            throw refused(QC_DATA_13, "the data file would be the image itself");
        }
        try (HostFile data = directory.create(name)) {
            // QC-DATA-11
            data.truncate(options.size());
            data.flush();
        }
    }

    private void layOut() {
        int blockBits = clusterBits + 3 - options.refcountOrder();
        long before;
        do {
            before = total();
            blocks = (before + (1L << blockBits) - 1) >>> blockBits;
            tableClusters = clusters(blocks * 8);
        } while (total() != before);
    }

    private long total() {
        return luksStart() + luksClusters + blocks - 1;
    }

    private long l1Start() {
        return 1 + tableClusters + 1;
    }

    private long luksStart() {
        return l1Start() + l1Clusters;
    }

    private long blockStart(long block) {
        return block == 0 ? 1 + tableClusters : luksStart() + luksClusters + block - 1;
    }

    /** Where the L1 table comes last, the file ends with its last entry. */
    private long length() {
        boolean l1Last = l1Clusters > 0 && luksClusters == 0 && blocks == 1;
        return l1Last ? (l1Start() << clusterBits) + l1Entries * 8 : total() << clusterBits;
    }

    private long clusters(long bytes) {
        return (bytes + (1L << clusterBits) - 1) >>> clusterBits;
    }

    private void write(HostFile host, ByteBuffer header) throws DiskException {
        host.truncate(length());
        ByteBuffer table = ByteBuffer.allocate((int) blocks * 8);
        for (long block = 0; block < blocks; block++) {
            table.putLong(blockStart(block) << clusterBits);
        }
        host.write(1L << clusterBits, table.flip());
        int order = options.refcountOrder();
        int countsPerBlock = 1 << (clusterBits + 3 - order);
        for (long block = 0; block < blocks; block++) {
            // Every cluster so far is used once.
            int used = (int) Math.min(countsPerBlock, total() - block * countsPerBlock);
            byte[] counts = new byte[((used << order) + 7) >>> 3];
            for (int cluster = 0; cluster < used; cluster++) {
                RefcountBits.set(counts, cluster, order, 1);
            }
            host.write(blockStart(block) << clusterBits, ByteBuffer.wrap(counts));
        }
        if (luks != null) {
            luks.write(host, luksStart() << clusterBits);
        }
        host.flush();
        host.write(0, header);
        host.flush();
    }

    private ByteBuffer header() throws DiskException {
        ByteBuffer header = ByteBuffer.allocate(Math.min(1 << clusterBits, 1 << 14));
        header.putInt(0, ImageHeader.MAGIC).putInt(4, options.version());
        header.putInt(20, clusterBits).putLong(24, options.size());
        header.putInt(36, (int) l1Entries);
        header.putLong(40, l1Entries == 0 ? 0 : l1Start() << clusterBits);
        header.putLong(48, 1L << clusterBits).putInt(56, (int) tableClusters);
        header.position(ImageHeader.V2_LENGTH);
        if (options.version() == 3) {
            header.putLong(
                    ImageHeader.COMPATIBLE_AT, options.features().lazyRefcounts() ? ImageHeader.LAZY_REFCOUNTS : 0);
            header.putInt(96, options.refcountOrder()).putInt(100, HEADER_BYTES);
            putFeatures(header);
            header.position(HEADER_BYTES);
        }
        byte[] name = options.backing()
                .map(backing -> backing.name().getBytes(StandardCharsets.UTF_8))
                .orElse(new byte[0]);
        options.backing()
                .flatMap(CreateOptions.Backing::format)
                .ifPresent(format -> putExtension(
                        header,
                        ImageHeader.EXTENSION_BACKING_FORMAT,
                        format.formatName().getBytes(StandardCharsets.US_ASCII)));
        putEncryption(header);
        putDataFileName(header);
        byte[] features = FeatureNames.table();
        // Small clusters have no room for the names; they are a courtesy only.
        if (options.version() == 3
                && clusterBits >= NAMES_FROM_CLUSTER_BITS
                && header.remaining() >= 8 + features.length + 8 + name.length + ROOM_FOR_BITMAPS) {
            putExtension(header, ImageHeader.EXTENSION_FEATURE_NAMES, features);
        }
        putBackingName(header, name);
        return header.rewind();
    }

    private void putEncryption(ByteBuffer header) {
        options.features()
                .encryption()
                .ifPresent(encryption -> header.putInt(
                        EncryptionArea.METHOD_AT,
                        encryption.cipher() == Cipher.LEGACY_AES_128_CBC
                                ? EncryptionArea.LEGACY
                                : EncryptionArea.LUKS));
        if (luks != null) {
            // QC-EXT-10
            ByteBuffer area = ByteBuffer.allocate(EncryptionArea.EXTENSION_BYTES);
            area.putLong(luksStart() << clusterBits).putLong(luks.length());
            putExtension(header, EncryptionArea.EXTENSION, area.array());
        }
    }

    private void putFeatures(ByteBuffer header) {
        FormatFeatures features = options.features();
        long incompatible = 0;
        if (features.compression() == FormatFeatures.Compression.ZSTD) {
            // QC-HDR-19, QC-HDR-28
            incompatible |= ImageHeader.COMPRESSION;
            header.put(ImageHeader.COMPRESSION_AT, (byte) 1);
        }
        if (features.extendedL2()) {
            // QC-HDR-20
            incompatible |= ImageHeader.EXTENDED_L2;
        }
        if (features.dataFile().isPresent()) {
            incompatible |= ImageHeader.DATA_FILE;
            // QC-HDR-30
            header.putLong(ImageHeader.AUTOCLEAR_AT, features.dataFile().get().raw() ? ImageHeader.RAW_DATA_FILE : 0);
        }
        header.putLong(ImageHeader.INCOMPATIBLE_AT, incompatible);
    }

    private static void putExtension(ByteBuffer header, int type, byte[] data) {
        header.putInt(type).putInt(data.length).put(data);
        header.position((header.position() + 7) & ~7);
    }

    private void putDataFileName(ByteBuffer header) throws DiskException {
        if (options.features().dataFile().isEmpty()) {
            return;
        }
        byte[] name = options.features().dataFile().get().name().getBytes(StandardCharsets.UTF_8);
        if (name.length == 0 || name.length > ImageHeader.MAX_DATA_FILE_NAME) {
            throw refused(QC_LIM_14, "a data file name of " + name.length + " bytes");
        }
        if (header.remaining() < 16 + name.length + 7) {
            throw refused(QC_EXT_03, "the data file's name does not fit into the first cluster");
        }
        putExtension(header, ImageHeader.EXTENSION_DATA_FILE, name);
    }

    private void putBackingName(ByteBuffer header, byte[] name) throws DiskException {
        if (options.backing().isEmpty()) {
            return;
        }
        if (name.length == 0 || name.length > ImageHeader.MAX_BACKING_NAME) {
            throw refused(QC_HDR_05, "a backing file name of " + name.length + " bytes");
        }
        // QC-EXT-02: eight zero bytes end the extensions before the name starts.
        int at = header.position() + 8;
        if (at + name.length > header.capacity()) {
            throw refused(QC_EXT_08, "the backing file's name does not fit into the first cluster");
        }
        header.putLong(8, at).putInt(16, name.length).position(at).put(name);
    }

    private RequestRefusedException refused(Clause clause, String reason) {
        return new RequestRefusedException(fileName, clause, reason);
    }
}
