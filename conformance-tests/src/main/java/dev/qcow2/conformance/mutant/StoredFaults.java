package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.ByteBuffer;

/** Leaves in the tables of a closed image what an author would have written there who errs. */
final class StoredFaults {

    private StoredFaults() {}

    static void commit(FeatureFault fault, HostFile file) throws DiskException {
        StoredTables tables = new StoredTables(file, fault.form() == FeatureFault.Form.SUBCLUSTERS);
        switch (fault) {
            case COMPRESSION_TYPE_LOST -> {
                long bits = tables.number(HeaderLayout.INCOMPATIBLE_FEATURES.offset());
                tables.number(HeaderLayout.INCOMPATIBLE_FEATURES.offset(), bits & ~HeaderLayout.COMPRESSION.mask());
                file.write(HeaderLayout.COMPRESSION_TYPE.offset(), ByteBuffer.allocate(1));
            }
            case DATA_CLUSTERS_COUNTED, SHRINK_DOES_NOT_RELEASE -> tables.addToCount(3, 1);
            case CRYPT_SURROUNDINGS_ZEROED_IN_CLEAR -> file.write(tables.host(0) + 2048, ByteBuffer.allocate(1024));
            case CRYPT_COPY_UP_IN_CLEAR ->
                file.write(tables.host(0) + 2048, ByteBuffer.wrap(FeatureJudge.base(), 2048, 1024));
            case COMPRESSED_SIZE_IN_FIXED_BITS,
                    COMPRESSED_WITH_COPIED,
                    COMPRESSED_SHARER_NOT_COUNTED,
                    COMPRESSED_SNAPSHOT_MISCOUNTED,
                    COMPRESSED_RELEASE_FREES_HOST,
                    COMPRESSED_NOT_RELEASED,
                    SUBCLUSTER_WRITE_MARKS_ALL,
                    SUBCLUSTER_ZERO_BIT_IGNORED,
                    SUBCLUSTER_BOTH_BITS,
                    SUBCLUSTER_BITMAP_KEPT_ON_DISCARD,
                    SUBCLUSTER_ZERO_IN_BIT_0,
                    GROWTH_SHOWS_BACKING -> entries(fault, tables);
            case COMPRESSED_PARTIAL_WRITE_LOSES_REST,
                    SUBCLUSTER_NOT_COPIED_UP,
                    SUBCLUSTER_ZERO_TAKES_ALL,
                    DATA_FILE_OFFSET_0_UNALLOCATED,
                    DATA_FILE_NOT_ZEROED,
                    DATA_FILE_OPENED_UNASKED,
                    BITMAP_NOT_FOLLOWED,
                    BITMAP_ROUNDED_INWARDS,
                    BITMAP_FORGETS_DISCARD,
                    REGROWTH_SHOWS_OLD_BYTES,
                    VM_STATE_LOST_ON_APPLY,
                    AMEND_LEAVES_SNAPSHOT_ZEROS,
                    AMEND_SHOWS_BACKING,
                    AMEND_COUNTS_SHARER_ONCE,
                    AMEND_FILLS_WHAT_IS_SHOWN -> {
                // It errs in requests.
            }
        }
    }

    /** Leaves in an image that has become version 2 what an author would have written who errs on the way. */
    static void amend(FeatureFault fault, HostFile file) throws DiskException {
        StoredTables tables = new StoredTables(file, false);
        long zeroAt = tables.snapshotEntryAt(FeatureJudge.ZERO_CLUSTER);
        long zero = tables.number(zeroAt);
        if (fault == FeatureFault.AMEND_LEAVES_SNAPSHOT_ZEROS) {
            tables.number(zeroAt, zero | MappingLayout.L2_ZERO.mask());
        } else if (fault == FeatureFault.AMEND_SHOWS_BACKING) {
            tables.number(zeroAt, 0);
            tables.addToCount(MappingLayout.L2_OFFSET.inPlace(zero) / FeatureJudge.CLUSTER, -1);
        } else if (fault == FeatureFault.AMEND_COUNTS_SHARER_ONCE) {
            tables.addToCount(tables.host(FeatureJudge.ZERO_CLUSTER) / FeatureJudge.CLUSTER, -1);
        } else if (fault == FeatureFault.AMEND_FILLS_WHAT_IS_SHOWN) {
            long shown = tables.number(tables.snapshotEntryAt(FeatureJudge.HIDDEN_CLUSTER));
            file.write(MappingLayout.L2_OFFSET.inPlace(shown), ByteBuffer.allocate(FeatureJudge.CLUSTER));
        }
    }

    private static void entries(FeatureFault fault, StoredTables tables) throws DiskException {
        for (int cluster = 0; cluster < FeatureJudge.CLUSTERS; cluster++) {
            long at = tables.entryAt(cluster);
            long entry = tables.number(at);
            if (fault == FeatureFault.GROWTH_SHOWS_BACKING) {
                if (cluster > 8 && MappingLayout.L2_ZERO.isSet(entry) && tables.host(cluster) == 0) {
                    tables.number(at, 0);
                }
            } else if (fault.form() == FeatureFault.Form.COMPRESSED && MappingLayout.L2_COMPRESSED.isSet(entry)) {
                compressed(fault, tables, at, entry);
            } else if (fault.form() == FeatureFault.Form.SUBCLUSTERS) {
                subclusters(fault, tables, at, entry);
            }
        }
    }

    private static void compressed(FeatureFault fault, StoredTables tables, long at, long entry) throws DiskException {
        long offset = MappingLayout.compressedOffset(FeatureJudge.CLUSTER_BITS).get(entry);
        long sectors =
                MappingLayout.compressedSectors(FeatureJudge.CLUSTER_BITS).get(entry);
        long first = offset / FeatureJudge.CLUSTER;
        long last = (offset / 512 + sectors) * 512 / FeatureJudge.CLUSTER;
        if (fault == FeatureFault.COMPRESSED_SIZE_IN_FIXED_BITS) {
            tables.number(at, MappingLayout.L2_COMPRESSED.mask() | sectors << 54 | offset);
        } else if (fault == FeatureFault.COMPRESSED_NOT_RELEASED) {
            tables.addToCount(first, 1);
        } else if (fault == FeatureFault.COMPRESSED_RELEASE_FREES_HOST) {
            tables.addToCount(first, -1);
        } else if (fault == FeatureFault.COMPRESSED_WITH_COPIED) {
            tables.number(at, entry | MappingLayout.L2_COPIED.mask());
        } else if (fault == FeatureFault.COMPRESSED_SHARER_NOT_COUNTED || last > first) {
            tables.addToCount(last, -1);
        }
    }

    private static void subclusters(FeatureFault fault, StoredTables tables, long at, long entry) throws DiskException {
        long bitmap = tables.number(at + 8);
        long allocated = MappingLayout.SUBCLUSTER_ALLOCATED.inPlace(bitmap);
        long zero = MappingLayout.SUBCLUSTER_ZERO.get(bitmap);
        boolean host = MappingLayout.L2_OFFSET.isSet(entry);
        if (fault == FeatureFault.SUBCLUSTER_WRITE_MARKS_ALL && host) {
            tables.number(at + 8, 0xffff_ffffL);
        } else if (fault == FeatureFault.SUBCLUSTER_ZERO_BIT_IGNORED) {
            tables.number(at + 8, allocated);
        } else if (fault == FeatureFault.SUBCLUSTER_BOTH_BITS && host) {
            tables.number(at + 8, bitmap | zero);
        } else if (fault == FeatureFault.SUBCLUSTER_BITMAP_KEPT_ON_DISCARD && !host && zero != 0) {
            tables.number(at + 8, 1);
        } else if (fault == FeatureFault.SUBCLUSTER_ZERO_IN_BIT_0 && !host && zero == 0xffff_ffffL) {
            tables.number(at, entry | MappingLayout.L2_ZERO.mask());
            tables.number(at + 8, 0);
        }
    }
}
