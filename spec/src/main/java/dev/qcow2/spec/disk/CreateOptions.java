package dev.qcow2.spec.disk;

import java.util.Optional;

/**
 * What a new image is like.
 *
 * @param size virtual disk size in bytes, 0 or more
 * @param version 2 or 3
 * @param clusterBits 9 to 21; a cluster has {@code 1 << clusterBits} bytes
 * @param refcountOrder 0 to 6; a reference count has {@code 1 << refcountOrder} bits; 4 in version 2
 * @param backing the backing file, if any; it is recorded, and not opened
 * @param features what the image uses beyond the plain form
 */
public record CreateOptions(
        long size,
        int version,
        int clusterBits,
        int refcountOrder,
        Optional<Backing> backing,
        FormatFeatures features) {

    /**
     * A backing file as the image names it.
     *
     * @param name 1 to 1023 bytes of UTF-8
     * @param format what the backing-format extension says; without it the file is probed
     */
    public record Backing(String name, Optional<BackingFormat> format) {}

    /** Formats that a backing file can have. */
    public enum BackingFormat {
        /** The file's bytes are the disk's bytes. */
        RAW("raw"),
        /** The file is a qcow2 image. */
        QCOW2("qcow2");

        private final String formatName;

        BackingFormat(String formatName) {
            this.formatName = formatName;
        }

        /**
         * Returns the name as the backing-format extension holds it.
         *
         * @return lower-case ASCII
         */
        public String formatName() {
            return formatName;
        }
    }

    /**
     * Checks the ranges, which are the caller's duty.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public CreateOptions {
        require(size >= 0, "size is negative: " + size);
        require(version == 2 || version == 3, "version is neither 2 nor 3: " + version);
        require(clusterBits >= 9 && clusterBits <= 21, "clusterBits is not in 9..21: " + clusterBits);
        require(refcountOrder >= 0 && refcountOrder <= 6, "refcountOrder is not in 0..6: " + refcountOrder);
        require(version == 3 || refcountOrder == 4, "version 2 has 16-bit refcounts only (QC-HDR-13)");
        require(version == 3 || features.fitsVersion2(), "version 2 lacks one of these features: " + features);
        require(!features.extendedL2() || clusterBits >= 14, "subclusters need clusters of 16 KiB or more");
        require(
                backing.isEmpty()
                        || features.dataFile().isEmpty()
                        || !features.dataFile().get().raw(),
                "a raw data file leaves nothing to a backing file");
    }

    /**
     * Options for an image in the plain form.
     *
     * @param size as above
     * @param version as above
     * @param clusterBits as above
     * @param refcountOrder as above
     * @param backing as above
     */
    public CreateOptions(long size, int version, int clusterBits, int refcountOrder, Optional<Backing> backing) {
        this(size, version, clusterBits, refcountOrder, backing, FormatFeatures.PLAIN);
    }

    /**
     * The options that QEMU takes when nothing is said.
     *
     * @param size virtual disk size in bytes
     * @return version 3, 64 KiB clusters, 16-bit refcounts, no backing file
     */
    public static CreateOptions ofSize(long size) {
        return new CreateOptions(size, 3, 16, 4, Optional.empty());
    }

    /**
     * Returns these options with another version.
     *
     * @param newVersion 2 or 3
     * @return a copy
     */
    public CreateOptions withVersion(int newVersion) {
        return new CreateOptions(size, newVersion, clusterBits, refcountOrder, backing, features);
    }

    /**
     * Returns these options with another cluster size.
     *
     * @param newClusterBits 9 to 21
     * @return a copy
     */
    public CreateOptions withClusterBits(int newClusterBits) {
        return new CreateOptions(size, version, newClusterBits, refcountOrder, backing, features);
    }

    /**
     * Returns these options with another refcount width.
     *
     * @param newRefcountOrder 0 to 6
     * @return a copy
     */
    public CreateOptions withRefcountOrder(int newRefcountOrder) {
        return new CreateOptions(size, version, clusterBits, newRefcountOrder, backing, features);
    }

    /**
     * Returns these options with a backing file.
     *
     * @param name the backing file as the image shall name it
     * @param format its format, or empty to have it probed
     * @return a copy
     */
    public CreateOptions withBacking(String name, Optional<BackingFormat> format) {
        return new CreateOptions(
                size, version, clusterBits, refcountOrder, Optional.of(new Backing(name, format)), features);
    }

    /**
     * Returns these options with other features.
     *
     * @param newFeatures what the image uses beyond the plain form
     * @return a copy
     */
    public CreateOptions withFeatures(FormatFeatures newFeatures) {
        return new CreateOptions(size, version, clusterBits, refcountOrder, backing, newFeatures);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
