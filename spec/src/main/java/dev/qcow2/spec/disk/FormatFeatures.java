package dev.qcow2.spec.disk;

import java.util.Optional;

/**
 * What a new image uses of the format beyond its plain form.
 *
 * @param compression how compressed clusters are packed; anything but zlib sets an incompatible feature bit
 * @param extendedL2 whether L2 entries have 32 subclusters; version 3 and clusters of at least 16 KiB only
 * @param lazyRefcounts whether the writer may postpone reference counts under the dirty bit; version 3 only
 * @param dataFile the file that holds guest clusters, if not the image itself; version 3 only
 * @param encryption how guest clusters are encrypted, if they are
 * @param preallocation what is allocated at once
 */
public record FormatFeatures(
        Compression compression,
        boolean extendedL2,
        boolean lazyRefcounts,
        Optional<DataFile> dataFile,
        Optional<Encryption> encryption,
        Preallocation preallocation) {

    /** How compressed clusters are packed. */
    public enum Compression {
        /** A raw deflate stream; header value 0. */
        ZLIB,
        /** One zstandard frame; header value 1. */
        ZSTD
    }

    /** What of the disk's clusters exists before the guest writes. */
    public enum Preallocation {
        /** Nothing. */
        OFF,
        /** Tables and host clusters, with the file as sparse as the host makes it. */
        METADATA,
        /** As {@link #METADATA}, with the host asked to reserve the space. */
        FALLOC,
        /** As {@link #METADATA}, with zeros written. */
        FULL
    }

    /**
     * An external data file.
     *
     * @param name as the image names it: relative to the image's directory; 1 to 1023 bytes of UTF-8
     * @param raw whether the data file is to be a valid raw image of the disk at all times
     */
    public record DataFile(String name, boolean raw) {}

    /** How guest clusters are encrypted. */
    public enum Cipher {
        /** LUKS, AES with a 256-bit key in XTS mode; the sector's number is the tweak. */
        LUKS_AES_256_XTS_PLAIN64,
        /** LUKS, AES with a 128-bit key in XTS mode. */
        LUKS_AES_128_XTS_PLAIN64,
        /** LUKS, AES with a 256-bit key in CBC mode; the initial vector is the encrypted sector number. */
        LUKS_AES_256_CBC_ESSIV_SHA256,
        /** LUKS, AES with a 128-bit key in CBC mode, likewise. */
        LUKS_AES_128_CBC_ESSIV_SHA256,
        /** The format's own AES-128-CBC of old: kept for old images, and unsafe. */
        LEGACY_AES_128_CBC
    }

    /**
     * Encryption of a new image.
     *
     * @param cipher the method
     * @param passphrase unlocks it
     * @param iterations rounds of key derivation for the new LUKS key slot, at least 1000; ignored by the legacy method
     */
    public record Encryption(Cipher cipher, Passphrase passphrase, int iterations) {

        /**
         * Checks the range.
         *
         * @throws IllegalArgumentException if there are fewer than 1000 iterations
         */
        public Encryption {
            if (iterations < 1000) {
                throw new IllegalArgumentException("fewer than 1000 iterations: " + iterations);
            }
        }
    }

    /** An image that needs nothing but what every reader of its version knows. */
    public static final FormatFeatures PLAIN =
            new FormatFeatures(Compression.ZLIB, false, false, Optional.empty(), Optional.empty(), Preallocation.OFF);

    /**
     * Returns these features with another compression type.
     *
     * @param other how compressed clusters are packed
     * @return a copy
     */
    public FormatFeatures withCompression(Compression other) {
        return new FormatFeatures(other, extendedL2, lazyRefcounts, dataFile, encryption, preallocation);
    }

    /**
     * Returns these features with extended L2 entries.
     *
     * @return a copy
     */
    public FormatFeatures withExtendedL2() {
        return new FormatFeatures(compression, true, lazyRefcounts, dataFile, encryption, preallocation);
    }

    /**
     * Returns these features with lazy reference counts.
     *
     * @return a copy
     */
    public FormatFeatures withLazyRefcounts() {
        return new FormatFeatures(compression, extendedL2, true, dataFile, encryption, preallocation);
    }

    /**
     * Returns these features with an external data file.
     *
     * @param name as the image names it
     * @param raw whether it is a raw image at all times
     * @return a copy
     */
    public FormatFeatures withDataFile(String name, boolean raw) {
        return new FormatFeatures(
                compression,
                extendedL2,
                lazyRefcounts,
                Optional.of(new DataFile(name, raw)),
                encryption,
                preallocation);
    }

    /**
     * Returns these features with encryption.
     *
     * @param other method, passphrase and iterations
     * @return a copy
     */
    public FormatFeatures withEncryption(Encryption other) {
        return new FormatFeatures(compression, extendedL2, lazyRefcounts, dataFile, Optional.of(other), preallocation);
    }

    /**
     * Returns these features with another preallocation.
     *
     * @param other what is allocated at once
     * @return a copy
     */
    public FormatFeatures withPreallocation(Preallocation other) {
        return new FormatFeatures(compression, extendedL2, lazyRefcounts, dataFile, encryption, other);
    }

    /**
     * Says whether version 2 of the format can hold an image with these features.
     *
     * @return true if nothing in here needs version 3
     */
    public boolean fitsVersion2() {
        return compression == Compression.ZLIB && !extendedL2 && !lazyRefcounts && dataFile.isEmpty();
    }
}
