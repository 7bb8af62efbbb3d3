package dev.qcow2.spec.audit;

import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import java.nio.ByteBuffer;

/**
 * An image's bytes, and where in them each number stands, so that a test can spoil one by its name. Places are found in
 * the bytes as they were at first: what was spoilt leads nowhere.
 */
final class PatchedImage {

    private final byte[] bytes;
    private final ByteBuffer buffer;
    private final ByteBuffer pristine;

    PatchedImage(byte[] original) {
        this.bytes = original.clone();
        this.buffer = ByteBuffer.wrap(bytes);
        this.pristine = ByteBuffer.wrap(original);
    }

    byte[] bytes() {
        return bytes;
    }

    int size() {
        return bytes.length;
    }

    /** Returns what the header said at first. */
    long header(ByteField field) {
        return field.get(pristine, 0);
    }

    void header(ByteField field, long value) {
        field.set(buffer, 0, value);
    }

    long get(ByteField field, long base) {
        return field.get(buffer, Math.toIntExact(base));
    }

    void set(ByteField field, long base, long value) {
        field.set(buffer, Math.toIntExact(base), value);
    }

    /** Returns what a field of a structure said at first. */
    long pristine(ByteField field, long base) {
        return field.get(pristine, Math.toIntExact(base));
    }

    /** Returns where the header extensions start. */
    long extensionsAt() {
        return header(HeaderLayout.VERSION) == 3 ? header(HeaderLayout.HEADER_LENGTH) : HeaderLayout.HEADER_V2.size();
    }

    /** Returns where the data of an extension starts, or 0. */
    long extensionAt(long type) {
        long at = extensionsAt();
        while (true) {
            long found = pristine(ExtensionLayout.TYPE, at);
            if (found == ExtensionLayout.TYPE_END || found == type) {
                return found == type ? at + ExtensionLayout.HEAD.size() : 0;
            }
            at += ExtensionLayout.HEAD.size() + ((pristine(ExtensionLayout.LENGTH, at) + 7) & ~7L);
        }
    }

    long entry(long offset) {
        return buffer.getLong(Math.toIntExact(offset));
    }

    void entry(long offset, long value) {
        buffer.putLong(Math.toIntExact(offset), value);
    }

    void bits(BitField field, long offset, long value) {
        entry(offset, field.set(entry(offset), value));
    }

    int clusterBits() {
        return (int) header(HeaderLayout.CLUSTER_BITS);
    }

    long clusterSize() {
        return 1L << clusterBits();
    }

    boolean extended() {
        return header(HeaderLayout.VERSION) == 3
                && HeaderLayout.EXTENDED_L2.isSet(header(HeaderLayout.INCOMPATIBLE_FEATURES));
    }

    int order() {
        return header(HeaderLayout.VERSION) == 3 ? (int) header(HeaderLayout.REFCOUNT_ORDER) : 4;
    }

    /** Returns the place of an entry of the active L1 table. */
    long l1At(int index) {
        return header(HeaderLayout.L1_TABLE_OFFSET) + 8L * index;
    }

    /** Returns the place of an entry of an L2 table. */
    long l2At(int l1Index, int index) {
        return MappingLayout.L1_OFFSET.inPlace(pristine(l1At(l1Index))) + (extended() ? 16L : 8L) * index;
    }

    /** Returns the place of an entry of the refcount table. */
    long refcountTableAt(int index) {
        return header(HeaderLayout.REFCOUNT_TABLE_OFFSET) + 8L * index;
    }

    long count(long cluster) {
        return RefcountLayout.get(buffer, blockOf(cluster), inBlock(cluster), order());
    }

    void count(long cluster, long count) {
        RefcountLayout.set(buffer, blockOf(cluster), inBlock(cluster), order(), count);
    }

    /** Returns the index of the host cluster that an L1 or a standard L2 entry names. */
    long clusterOf(long entryAt) {
        return MappingLayout.L2_OFFSET.inPlace(pristine(entryAt)) >>> clusterBits();
    }

    private long pristine(long offset) {
        return pristine.getLong(Math.toIntExact(offset));
    }

    private int blockOf(long cluster) {
        long block = cluster >>> countsPerBlockBits();
        return Math.toIntExact(RefcountLayout.BLOCK_OFFSET.inPlace(pristine(refcountTableAt((int) block))));
    }

    private int inBlock(long cluster) {
        return (int) (cluster & ((1L << countsPerBlockBits()) - 1));
    }

    private int countsPerBlockBits() {
        return clusterBits() + 3 - order();
    }
}
