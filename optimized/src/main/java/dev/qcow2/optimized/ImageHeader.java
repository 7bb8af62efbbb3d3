package dev.qcow2.optimized;

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
 * @param incompatible feature bits; only the dirty and the corrupt bit can be set
 * @param compatible feature bits
 * @param autoclear feature bits
 * @param backingName the backing file, if there is one
 * @param backingFormat what the backing-format extension says
 * @param encryption whether and how guest data is encrypted
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
        Optional<String> backingName,
        Optional<String> backingFormat,
        EncryptionArea encryption) {

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
    static final int EXTENSION_BACKING_FORMAT = 0xe2792aca;
    static final int EXTENSION_FEATURE_NAMES = 0x6803f857;
    static final long DIRTY = 1;
    static final long CORRUPT = 2;
    static final long LAZY_REFCOUNTS = 1;
    static final long BITMAPS = 1;
    static final long MAX_L1_BYTES = 32L << 20;
    static final long MAX_REFCOUNT_TABLE_BYTES = 8L << 20;
    static final int MAX_BACKING_NAME = 1023;
    static final int MAX_SNAPSHOTS = 65536;

    /** The entries that an L1 table needs to map a whole disk. */
    static long l1EntriesFor(long size, int clusterBits) {
        int bits = 2 * clusterBits - 3;
        return (size >>> bits) + ((size & ((1L << bits) - 1)) == 0 ? 0 : 1);
    }
}
