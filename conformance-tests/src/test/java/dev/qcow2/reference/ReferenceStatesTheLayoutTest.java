package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.qcow2.conformance.mutant.MutantDriver;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import dev.qcow2.spec.layout.Structure;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The layout table of spec and the reference's decoders are two statements of one layout: a poke at a
 * field of the table changes the accessor of that name, and no other.
 */
class ReferenceStatesTheLayoutTest {

    /** Which accessor of {@link Header} states which field; the magic has none, a wrong one is refused. */
    private static final Map<String, String> ACCESSORS = Map.ofEntries(
            Map.entry("version", "version"),
            Map.entry("backing_file_offset", "backingNameOffset"),
            Map.entry("backing_file_size", "backingNameLength"),
            Map.entry("cluster_bits", "clusterBits"),
            Map.entry("size", "diskSize"),
            Map.entry("crypt_method", "cryptMethod"),
            Map.entry("l1_size", "l1Size"),
            Map.entry("l1_table_offset", "l1Offset"),
            Map.entry("refcount_table_offset", "refcountTableOffset"),
            Map.entry("refcount_table_clusters", "refcountTableClusters"),
            Map.entry("nb_snapshots", "snapshotCount"),
            Map.entry("snapshots_offset", "snapshotsOffset"),
            Map.entry("incompatible_features", "incompatible"),
            Map.entry("compatible_features", "compatible"),
            Map.entry("autoclear_features", "autoclear"),
            Map.entry("refcount_order", "refcountOrder"),
            Map.entry("header_length", "length"),
            Map.entry("compression_type", "compressionType"));

    private static final int ROOM = 128;

    /** A header of version 3 whose every field has a value of its own. */
    private static ByteBuffer header(int version) {
        ByteBuffer bytes = ByteBuffer.allocate(ROOM);
        HeaderLayout.MAGIC.set(bytes, 0, HeaderLayout.MAGIC_VALUE);
        HeaderLayout.VERSION.set(bytes, 0, version);
        HeaderLayout.BACKING_FILE_OFFSET.set(bytes, 0, 512);
        HeaderLayout.BACKING_FILE_SIZE.set(bytes, 0, 17);
        HeaderLayout.CLUSTER_BITS.set(bytes, 0, 16);
        HeaderLayout.SIZE.set(bytes, 0, 0x1234_5678L);
        HeaderLayout.L1_SIZE.set(bytes, 0, 6);
        HeaderLayout.L1_TABLE_OFFSET.set(bytes, 0, 0x30000);
        HeaderLayout.REFCOUNT_TABLE_OFFSET.set(bytes, 0, 0x10000);
        HeaderLayout.REFCOUNT_TABLE_CLUSTERS.set(bytes, 0, 1);
        HeaderLayout.NB_SNAPSHOTS.set(bytes, 0, 2);
        HeaderLayout.SNAPSHOTS_OFFSET.set(bytes, 0, 0x50000);
        if (version == 3) {
            HeaderLayout.REFCOUNT_ORDER.set(bytes, 0, 4);
            HeaderLayout.HEADER_LENGTH.set(bytes, 0, 112);
        }
        return bytes;
    }

    private static Map<String, Object> decoded(ByteBuffer bytes) throws DiskException, ReflectiveOperationException {
        Header header = Header.parse("image", bytes.duplicate().limit(Header.KNOWN_LENGTH));
        Map<String, Object> values = new LinkedHashMap<>();
        for (RecordComponent component : Header.class.getRecordComponents()) {
            values.put(component.getName(), component.getAccessor().invoke(header));
        }
        return values;
    }

    private static Set<String> changed(Map<String, Object> before, Map<String, Object> after) {
        TreeSet<String> names = new TreeSet<>();
        before.forEach((name, value) -> {
            if (!value.equals(after.get(name))) {
                names.add(name);
            }
        });
        return names;
    }

    @Test
    @DisplayName("QC-HDR-03, QC-HDR-07, QC-HDR-11: a poke at each header field changes its accessor and no other")
    void headerFields() throws DiskException, ReflectiveOperationException {
        Map<String, Object> before = decoded(header(3));
        int poked = 0;
        for (ByteField field : HeaderLayout.HEADER_V3.fields()) {
            for (int bit = 0; field.isNumber() && bit < 8 * field.width(); bit++) {
                ByteBuffer bytes = header(3);
                long value = field.get(bytes, 0) ^ 1L << bit;
                field.set(bytes, 0, value);
                Set<String> names;
                try {
                    names = changed(before, decoded(bytes));
                } catch (MalformedImageException e) {
                    // A refusal is a statement of the layout as well: it says where the field is, or
                    // where the name is that no longer fits behind the header.
                    assertThat(e.hostOffset())
                            .as("%s, bit %d: %s", field.name(), bit, e)
                            .isIn(0L, (long) field.offset(), (long) HeaderLayout.BACKING_FILE_OFFSET.offset());
                    continue;
                }
                if (field.equals(HeaderLayout.VERSION)) {
                    // Version 2 has no further fields, and its header is shorter.
                    assertThat(names).contains("version", "length");
                } else {
                    assertThat(names).as("%s, bit %d", field.name(), bit).containsExactly(ACCESSORS.get(field.name()));
                    Number stated = (Number) Objects.requireNonNull(
                            decoded(bytes).get(names.iterator().next()));
                    assertThat(stated.longValue() & (field.width() == 8 ? -1L : (1L << (8 * field.width())) - 1))
                            .isEqualTo(value);
                }
                poked++;
            }
        }
        assertThat(poked).isGreaterThan(500);
    }

    @Test
    @DisplayName("QC-HDR-01, QC-HDR-27: each bit of the magic is looked at; bits of the padding are no field")
    void magicAndPadding() throws DiskException, ReflectiveOperationException {
        for (int bit = 0; bit < 32; bit++) {
            ByteBuffer bytes = header(3);
            HeaderLayout.MAGIC.set(bytes, 0, HeaderLayout.MAGIC_VALUE ^ 1L << bit);
            assertThat(catchThrowableOfType(MalformedImageException.class, () -> decoded(bytes)))
                    .isNotNull();
        }
        ByteBuffer padded = header(3);
        padded.put(HeaderLayout.PADDING.offset(), (byte) 0xff);
        assertThat(changed(decoded(header(3)), decoded(padded))).isEmpty();
    }

    @Test
    @DisplayName("QC-HDR-13, QC-HDR-26: what stands behind byte 72 of version 2, or behind header_length, is no field")
    void absentFields() throws DiskException, ReflectiveOperationException {
        ByteBuffer second = header(2);
        for (int i = 72; i < ROOM; i++) {
            second.put(i, (byte) 0xff);
        }
        assertThat(decoded(second)).isEqualTo(decoded(header(2))).containsEntry("refcountOrder", 4);
        ByteBuffer shorter = header(3);
        HeaderLayout.HEADER_LENGTH.set(shorter, 0, 104);
        HeaderLayout.COMPRESSION_TYPE.set(shorter, 0, 1);
        assertThat(decoded(shorter)).containsEntry("compressionType", 0);
    }

    @Test
    @DisplayName("QC-HDR-03: each accessor has a field in the table, so that none is read from nowhere")
    void accessorsAreComplete() {
        TreeSet<String> names = new TreeSet<>();
        for (RecordComponent component : Header.class.getRecordComponents()) {
            names.add(component.getName());
        }
        assertThat(names).containsExactlyInAnyOrderElementsOf(ACCESSORS.values());
        assertThat(HeaderLayout.HEADER_V3.fields().stream().map(ByteField::name))
                .containsAll(ACCESSORS.keySet())
                .hasSize(ACCESSORS.size() + 2);
    }

    @Test
    @DisplayName("QC-REF-07, QC-REF-08, QC-REF-09: a poke at a count changes that count and no other, at every width")
    void counts() {
        for (int order = 0; order <= 6; order++) {
            int places = (512 * 8) >> order;
            for (int place = 0; place < places; place += place < 70 ? 1 : 61) {
                ByteBuffer block = ByteBuffer.allocate(512);
                RefcountLayout.set(block, 0, place, order, 1);
                for (int other = 0; other < places; other++) {
                    assertThat(Counts.get(block, other, order))
                            .as("order %d", order)
                            .isEqualTo(other == place ? 1 : 0);
                }
            }
        }
    }

    /** Decodes an entry of the image. */
    private interface Decoder {
        Object decode(Image image, long bits) throws DiskException;
    }

    /** An image whose file is so long that every host offset lies inside. */
    private static Image longImage() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        new MutantDriver()
                .create(directory, "image", CreateOptions.ofSize(1 << 20).withClusterBits(9));
        HostFile file = directory.open("image", Access.READ_WRITE);
        file.truncate(Long.MAX_VALUE);
        return Image.of(file);
    }

    /** Pokes bit after bit; says for each what the decoder then states, or the clause by which it refuses. */
    private static void pokeEntry(Structure<BitField> layout, Decoder decoder, Map<String, String> expected)
            throws DiskException {
        Image image = longImage();
        // Far away from the header's own tables, so that a bit more or less never leads there.
        long base = 1L << 40;
        Object before = decoder.decode(image, base);
        for (BitField field : layout.fields()) {
            for (int bit = field.offset(); bit < field.end(); bit++) {
                String stated;
                try {
                    Object after = decoder.decode(image, base ^ 1L << bit);
                    stated = differences(before, after, 1L << bit);
                } catch (CorruptImageException e) {
                    stated = e.clause().id();
                }
                assertThat(stated).as("%s, bit %d", field.name(), bit).matches(expected.get(field.name()));
            }
        }
    }

    private static String differences(Object before, Object after, long bit) {
        if (before instanceof L1Entry left && after instanceof L1Entry right) {
            return (left.l2Offset() != right.l2Offset() ? "offset " : "")
                    + (left.copied() != right.copied() ? "copied " : "")
                    + (left.l2Offset() != right.l2Offset() && (left.l2Offset() ^ right.l2Offset()) != bit
                            ? "wrong"
                            : "");
        }
        if (before instanceof L2Entry left && after instanceof L2Entry right) {
            boolean moved = left.hostOffset() != right.hostOffset() && right.kind() == L2Entry.Kind.NORMAL;
            return (moved ? "offset " : "")
                    + (left.copied() != right.copied() ? "copied " : "")
                    + (right.kind() == left.kind() || moved ? "" : right.kind() + " ");
        }
        long left = ((RefcountTableEntry) before).blockOffset();
        long right = ((RefcountTableEntry) after).blockOffset();
        return (left ^ right) == bit ? "offset " : "wrong";
    }

    @Test
    @DisplayName("QC-L1-01, QC-L1-02, QC-L1-03: each bit of an L1 entry is what the table says")
    void l1Entries() throws DiskException {
        pokeEntry(
                MappingLayout.L1_ENTRY,
                (image, bits) -> L1Entry.parse(image, 0, bits),
                Map.of(
                        MappingLayout.L1_RESERVED_LOW.name(), "QC-L1-02",
                        // Bit 40 is the one that stands there: without it there is no table.
                        MappingLayout.L1_OFFSET.name(), "offset ",
                        MappingLayout.L1_RESERVED_HIGH.name(), "QC-L1-02",
                        MappingLayout.L1_COPIED.name(), "copied "));
    }

    @Test
    @DisplayName(
            "QC-L2-02, QC-L2-03, QC-L2-04, QC-L2-05, QC-L2-06, QC-L2-07: each bit of an L2 entry is what the table says")
    void l2Entries() throws DiskException {
        pokeEntry(
                MappingLayout.L2_STANDARD,
                (image, bits) -> L2Entry.parse(image, 0, bits),
                Map.of(
                        MappingLayout.L2_ZERO.name(), "ZERO_ALLOCATED ",
                        MappingLayout.L2_RESERVED_LOW.name(), "QC-L2-05",
                        MappingLayout.L2_OFFSET.name(), "offset |UNALLOCATED ",
                        MappingLayout.L2_RESERVED_HIGH.name(), "QC-L2-05",
                        MappingLayout.L2_COMPRESSED.name(), "COMPRESSED ",
                        MappingLayout.L2_COPIED.name(), "copied "));
    }

    @Test
    @DisplayName("QC-REF-04, QC-REF-05: each bit of a refcount table entry is what the table says")
    void refcountTableEntries() throws DiskException {
        pokeEntry(
                RefcountLayout.TABLE_ENTRY,
                (image, bits) -> RefcountTableEntry.parse(image, 0, bits),
                Map.of(
                        RefcountLayout.TABLE_RESERVED.name(), "QC-REF-05",
                        // Offsets of 2^63 and more are nowhere.
                        RefcountLayout.BLOCK_OFFSET.name(), "offset |QC-REF-04"));
    }
}
