package dev.qcow2.spec.audit;

import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import java.nio.ByteBuffer;

/**
 * A small right image that needs no QEMU. Its clusters of 512 bytes: 0 header, 1 refcount table, 2 refcount block, 3 L1
 * table, 4 L2 table, 5 and 6 data of the first two guest clusters, 7 free.
 */
final class HandMadeImage {

    static final int CLUSTER = 512;
    static final int REFCOUNT_TABLE = CLUSTER;
    static final int BLOCK = 2 * CLUSTER;
    static final int L1 = 3 * CLUSTER;
    static final int L2 = 4 * CLUSTER;
    static final int DATA = 5 * CLUSTER;

    private HandMadeImage() {}

    static byte[] ofVersion(int version) {
        byte[] bytes = new byte[8 * CLUSTER];
        ByteBuffer image = ByteBuffer.wrap(bytes);
        HeaderLayout.MAGIC.set(image, 0, HeaderLayout.MAGIC_VALUE);
        HeaderLayout.VERSION.set(image, 0, version);
        HeaderLayout.CLUSTER_BITS.set(image, 0, 9);
        HeaderLayout.SIZE.set(image, 0, 64L * CLUSTER);
        HeaderLayout.L1_SIZE.set(image, 0, 1);
        HeaderLayout.L1_TABLE_OFFSET.set(image, 0, L1);
        HeaderLayout.REFCOUNT_TABLE_OFFSET.set(image, 0, REFCOUNT_TABLE);
        HeaderLayout.REFCOUNT_TABLE_CLUSTERS.set(image, 0, 1);
        if (version == 3) {
            HeaderLayout.REFCOUNT_ORDER.set(image, 0, 4);
            HeaderLayout.HEADER_LENGTH.set(image, 0, 112);
        }
        image.putLong(REFCOUNT_TABLE, BLOCK);
        for (int cluster = 0; cluster < 7; cluster++) {
            RefcountLayout.set(image, BLOCK, cluster, 4, 1);
        }
        image.putLong(L1, MappingLayout.L1_COPIED.mask() | L2);
        image.putLong(L2, MappingLayout.L2_COPIED.mask() | DATA);
        image.putLong(L2 + 8, MappingLayout.L2_COPIED.mask() | (DATA + CLUSTER));
        return bytes;
    }

    /** Changes some bits of a 64-bit entry. */
    static byte[] with(byte[] image, int at, BitField field, long value) {
        ByteBuffer buffer = ByteBuffer.wrap(image);
        buffer.putLong(at, field.set(buffer.getLong(at), value));
        return image;
    }

    /** Changes a stored count. */
    static byte[] withCount(byte[] image, int cluster, long count) {
        RefcountLayout.set(ByteBuffer.wrap(image), BLOCK, cluster, 4, count);
        return image;
    }
}
