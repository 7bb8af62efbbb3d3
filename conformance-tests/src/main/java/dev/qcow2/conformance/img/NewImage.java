package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.RawDisk;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolSettings;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostDirectory;
import java.util.Locale;
import java.util.Optional;

/** Makes images as {@link FormatOptions} say, for {@code create} and for whoever writes a new image. */
final class NewImage {

    private static final long SECTOR = 512;
    private static final long HIGHEST_L1_ENTRIES = (32 << 20) / 8;
    private static final int SMALLEST_CLUSTER_WITH_SUBCLUSTERS = 16384;
    private static final String VERSION_3 = " compatibility level 1.1 and above (use version=v3 or greater)";

    private final ToolSettings settings;
    private final FormatOptions options;

    /** The settings know implementation and secrets. */
    NewImage(ToolSettings settings, FormatOptions options) {
        this.settings = settings;
        this.options = options;
    }

    /**
     * Makes the image in place of whatever had that name.
     *
     * @param name of a file; {@code file:} in front is no part of it
     * @throws ToolException if the options contradict each other or the format, or the host refuses
     */
    void create(String name) throws ToolException {
        String file = name.startsWith("file:") ? name.substring("file:".length()) : name;
        try {
            if (options.format().equals("raw")) {
                createRaw(file);
            } else {
                createQcow2(file);
            }
        } catch (DiskException e) {
            throw new ToolException(Failures.create(file, e), 1, e);
        }
    }

    private void createQcow2(String file) throws ToolException, DiskException {
        CreateOptions plain = qcow2();
        FormatFeatures features = plain.features();
        boolean raw = features.dataFile().map(FormatFeatures.DataFile::raw).orElse(false);
        if (!raw || features.preallocation() != Preallocation.OFF) {
            settings.driver().create(settings.files(), file, plain);
            return;
        }
        // QEMU gives each cluster of a raw data file its place at once, which a writer need not.
        CreateOptions placed = plain.withFeatures(features.withPreallocation(Preallocation.METADATA));
        try {
            settings.driver().create(settings.files(), file, placed);
        } catch (UnsupportedFeatureException e) {
            settings.driver().create(settings.files(), file, plain);
        }
    }

    private long size() {
        return roundedUp(options.amount("size").orElse(0));
    }

    private static long roundedUp(long size) {
        return (size + SECTOR - 1) / SECTOR * SECTOR;
    }

    private void createRaw(String file) throws ToolException, DiskException {
        Preallocation preallocation = preallocation();
        if (preallocation == Preallocation.METADATA) {
            throw new ToolException("Unsupported preallocation mode: metadata");
        }
        HostDirectory files = settings.files();
        try (RawDisk disk = new RawDisk(files.create(file), true)) {
            disk.resize(size(), preallocation);
        }
    }

    private Preallocation preallocation() throws ToolException {
        String wanted = options.text("preallocation").orElse("off");
        for (Preallocation mode : Preallocation.values()) {
            if (mode.name().toLowerCase(Locale.ROOT).equals(wanted)) {
                return mode;
            }
        }
        throw notAccepted("preallocation", wanted);
    }

    private static ToolException notAccepted(String parameter, String value) {
        return new ToolException("Parameter '" + parameter + "' does not accept value '" + value + "'");
    }

    /** What the options say of a qcow2 image, in the contract's words. */
    CreateOptions qcow2() throws ToolException {
        EncryptionChoice encryption = new EncryptionChoice(options, settings.secrets());
        encryption.requireConsistent();
        int version = version();
        Preallocation preallocation = preallocation();
        Compression compression = compression();
        Optional<Backing> backing = backing();
        int clusterBits = clusterBits();
        requireFit(backing, preallocation);
        int refcountOrder = refcountOrder(version);
        requireDataFile(version, backing);
        boolean extended = extendedL2(version, clusterBits);
        require(
                compression == Compression.ZLIB || version == 3,
                "Non-zlib compression type is only supported with" + VERSION_3);
        long size = options.amount("size").orElse(0);
        if (size < 0) {
            throw new ToolException("Could not resize image: Image size cannot be negative");
        }
        requireAddressable(size, clusterBits, extended);
        FormatFeatures features =
                FormatFeatures.PLAIN.withCompression(compression).withPreallocation(preallocation);
        features = extended ? features.withExtendedL2() : features;
        features = lazy(version) ? features.withLazyRefcounts() : features;
        Optional<String> dataFile = options.given("data_file");
        features = dataFile.isPresent() ? features.withDataFile(dataFile.get(), options.on("data_file_raw")) : features;
        Optional<FormatFeatures.Encryption> chosen = encryption.chosen();
        features = chosen.isPresent() ? features.withEncryption(chosen.get()) : features;
        return new CreateOptions(roundedUp(size), version, clusterBits, refcountOrder, backing, features);
    }

    private static void require(boolean holds, String otherwise) throws ToolException {
        if (!holds) {
            throw new ToolException(otherwise);
        }
    }

    private int version() throws ToolException {
        String compat = options.text("compat").orElse("v3");
        return switch (compat) {
            case "0.10", "v2" -> 2;
            case "1.1", "v3" -> 3;
            default -> throw notAccepted("version", compat);
        };
    }

    private Compression compression() throws ToolException {
        String type = options.text("compression_type").orElse("zlib");
        return switch (type) {
            case "zlib" -> Compression.ZLIB;
            case "zstd" -> Compression.ZSTD;
            default -> throw notAccepted("compression-type", type);
        };
    }

    private Optional<Backing> backing() throws ToolException {
        Optional<String> name = options.given("backing_file");
        Optional<String> format = options.given("backing_fmt");
        Optional<BackingFormat> known = Optional.empty();
        if (format.isPresent()) {
            known = backingFormat(format.get());
            require(known.isPresent(), "Parameter 'backing-fmt' does not accept value '" + format.get() + "'");
        }
        require(name.isPresent() || format.isEmpty(), "Backing format cannot be used without backing file");
        Optional<BackingFormat> chosen = known;
        return name.map(given -> new Backing(given, chosen));
    }

    /** The formats that an image may say its backing file has. */
    static Optional<BackingFormat> backingFormat(String name) {
        for (BackingFormat format : BackingFormat.values()) {
            if (format.formatName().equals(name)) {
                return Optional.of(format);
            }
        }
        return Optional.empty();
    }

    private int clusterBits() throws ToolException {
        long size = options.amount("cluster_size").orElse(0);
        require(
                Long.bitCount(size) == 1 && size >= 512 && size <= 2 << 20,
                "Cluster size must be a power of two between 512 and 2048k");
        return Long.numberOfTrailingZeros(size);
    }

    private void requireFit(Optional<Backing> backing, Preallocation preallocation) throws ToolException {
        require(
                backing.isEmpty() || preallocation == Preallocation.OFF || options.on("extended_l2"),
                "Backing file and preallocation can only be used at the same time if extended_l2 is on");
    }

    private boolean lazy(int version) throws ToolException {
        boolean lazy = options.on("lazy_refcounts");
        require(!lazy || version == 3, "Lazy refcounts only supported with" + VERSION_3);
        return lazy;
    }

    private int refcountOrder(int version) throws ToolException {
        long bits = options.amount("refcount_bits").orElse(0);
        require(
                Long.bitCount(bits) == 1 && bits > 0 && bits <= 64,
                "Refcount width must be a power of two and may not exceed 64 bits");
        require(
                version == 3 || bits == 16,
                "Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or"
                        + " greater)");
        return Long.numberOfTrailingZeros(bits);
    }

    private void requireDataFile(int version, Optional<Backing> backing) throws ToolException {
        boolean there = options.given("data_file").isPresent();
        boolean raw = options.on("data_file_raw");
        require(there || !raw, "data-file-raw requires data-file");
        require(backing.isEmpty() || !raw, "Backing file and data-file-raw cannot be used at the same time");
        require(!there || version == 3, "External data files are only supported with" + VERSION_3);
    }

    private boolean extendedL2(int version, int clusterBits) throws ToolException {
        boolean extended = options.on("extended_l2");
        require(!extended || version == 3, "Extended L2 entries are only supported with" + VERSION_3);
        require(
                !extended || 1 << clusterBits >= SMALLEST_CLUSTER_WITH_SUBCLUSTERS,
                "Extended L2 entries are only supported with cluster sizes of at least 16384 bytes");
        return extended;
    }

    private static void requireAddressable(long size, int clusterBits, boolean extended) throws ToolException {
        int bitsOfTable = 2 * clusterBits - (extended ? 4 : 3);
        long entries = (size >> bitsOfTable) + ((size & ((1L << bitsOfTable) - 1)) == 0 ? 0 : 1);
        require(
                entries <= HIGHEST_L1_ENTRIES,
                "The image size is too large for file format 'qcow2' (try using a larger cluster size)");
    }
}
