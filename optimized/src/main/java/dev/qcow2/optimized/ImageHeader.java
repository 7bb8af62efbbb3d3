package dev.qcow2.optimized;

import dev.qcow2.spec.disk.FormatFeatures.Compression;
import java.util.Optional;

/**
 * The header as it was found when the image was opened, checked. Changes go into the file field by field, so that
 * everything unknown around the fields stays as it is (QC-HDR-21, QC-HDR-25, QC-EXT-04).
 *
 * @param version 2 or 3
 * @param clusterBits 9 to 21
 * @param size bytes of the disk
 * @param refcountOrder 0 to 6
 * @param l1Size entries of the active L1 table
 * @param l1Offset where it starts
 * @param refcountTableOffset where the refcount table starts
 * @param refcountTableClusters its clusters
 * @param snapshotCount entries of the snapshot table
 * @param snapshotsOffset where it starts
 * @param incompatible feature bits; none is set that we don't know
 * @param compatible feature bits
 * @param autoclear feature bits
 * @param compression how compressed clusters are packed
 * @param backingName the backing file, if there is one
 * @param backingFormat what the backing-format extension says
 * @param encryption whether and how guest data is encrypted
 * @param dataFileName what the data-file extension says
 */
record ImageHeader(
        int version,
        int clusterBits,
        long size,
        int refcountOrder,
        int l1Size,
        long l1Offset,
        long refcountTableOffset,
        int refcountTableClusters,
        int snapshotCount,
        long snapshotsOffset,
        long incompatible,
        long compatible,
        long autoclear,
        Compression compression,
        Optional<String> backingName,
        Optional<String> backingFormat,
        EncryptionArea encryption,
        Optional<String> dataFileName) {

    static final int MAGIC = 0x514649fb;
    static final int V2_LENGTH = 72;
    static final int V3_LENGTH = 104;
    static final int SIZE_AT = 24;
    static final int L1_SIZE_AT = 36;
    static final int REFCOUNT_TABLE_AT = 48;
    static final int SNAPSHOTS_AT = 60;
    static final int INCOMPATIBLE_AT = 72;
    static final int COMPATIBLE_AT = 80;
    static final int AUTOCLEAR_AT = 88;
    static final int COMPRESSION_AT = 104;
    static final int EXTENSION_BACKING_FORMAT = 0xe2792aca;
    static final int EXTENSION_DATA_FILE = 0x44415441;
    static final int EXTENSION_FEATURE_NAMES = 0x6803f857;
    static final long DIRTY = 1;
    static final long CORRUPT = 2;
    static final long LAZY_REFCOUNTS = 1;
    static final long BITMAPS = 1;
    static final long DATA_FILE = 4;
    static final long COMPRESSION = 8;
    static final long EXTENDED_L2 = 16;

    /** An autoclear bit: the data file holds the disk's bytes at all times. */
    static final long RAW_DATA_FILE = 2;

    static final long MAX_L1_BYTES = 32L << 20;
    static final long MAX_REFCOUNT_TABLE_BYTES = 8L << 20;
    static final int MAX_BACKING_NAME = 1023;
    static final int MAX_DATA_FILE_NAME = 1023;
    static final int MAX_SNAPSHOTS = 65536;

    /** Whether guest clusters are in another file. */
    boolean dataFile() {
        return (incompatible & DATA_FILE) != 0;
    }

    /** Whether that file holds the disk's bytes at all times; with a backing file it can't (QC-HDR-30). */
    boolean rawDataFile() {
        return dataFile() && (autoclear & RAW_DATA_FILE) != 0 && backingName.isEmpty();
    }

    /** Whether an L2 entry has a second word, with a state for each of 32 subclusters. */
    boolean extendedL2() {
        return (incompatible & EXTENDED_L2) != 0;
    }

    /** The entries that the image's L1 table needs to map a disk. */
    long l1EntriesFor(long diskSize) {
        return l1EntriesFor(diskSize, clusterBits, extendedL2());
    }

    /** The entries that an L1 table needs to map a whole disk. */
    static long l1EntriesFor(long size, int clusterBits, boolean extendedL2) {
        int bits = 2 * clusterBits - (extendedL2 ? 4 : 3);
        return (size >>> bits) + ((size & ((1L << bits) - 1)) == 0 ? 0 : 1);
    }
}
