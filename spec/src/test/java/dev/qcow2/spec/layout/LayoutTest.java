package dev.qcow2.spec.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.Clause;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tables: complete, without gaps or overlaps, and each field pokes its own bytes only. */
class LayoutTest {

    static Stream<Structure<ByteField>> structures() {
        return LayoutCatalogue.structures().stream();
    }

    static Stream<Structure<BitField>> entries() {
        return LayoutCatalogue.entries().stream();
    }

    static Stream<Structure<?>> all() {
        return Stream.concat(structures(), entries());
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("QC-HDR-13 QC-HDR-14 QC-L1-02 QC-L2-05 QC-REF-05: fields follow each other and fill their structure")
    void fieldsTile(Structure<? extends Field> structure) {
        int at = 0;
        Set<String> names = new HashSet<>();
        for (Field field : structure.fields()) {
            assertThat(field.offset()).as(field.name()).isEqualTo(at);
            assertThat(field.width()).as(field.name()).isPositive();
            assertThat(field.meaning()).isNotBlank();
            assertThat(names.add(field.name())).as(field.name()).isTrue();
            assertThat((Object) structure.field(field.name())).isSameAs(field);
            at = field.end();
        }
        assertThat(at).isEqualTo(structure.size());
    }

    @Test
    @DisplayName("QC-HDR-13 QC-HDR-26: version 2 ends where the fields that version 3 added begin")
    void versions() {
        assertThat(HeaderLayout.HEADER_V3.fields().stream()
                        .filter(field -> field.since() == Clause.Since.V2)
                        .toList())
                .isEqualTo(HeaderLayout.HEADER_V2.fields());
        assertThat(HeaderLayout.INCOMPATIBLE_FEATURES.offset()).isEqualTo(HeaderLayout.HEADER_V2.size());
    }

    @Test
    @DisplayName("QC-HDR-01 QC-HDR-09 QC-HDR-14 QC-HDR-28: well-known places, as the specification gives them")
    void wellKnownPlaces() {
        assertThat(HeaderLayout.HEADER_V3.fields().stream().map(Field::offset))
                .containsExactly(0, 4, 8, 16, 20, 24, 32, 36, 40, 48, 56, 60, 64, 72, 80, 88, 96, 100, 104, 105);
        assertThat(MappingLayout.L1_OFFSET.mask()).isEqualTo(0x00ff_ffff_ffff_fe00L);
        assertThat(MappingLayout.L2_OFFSET.mask()).isEqualTo(0x00ff_ffff_ffff_fe00L);
        assertThat(RefcountLayout.BLOCK_OFFSET.mask()).isEqualTo(0xffff_ffff_ffff_fe00L);
        assertThat(SnapshotLayout.ENTRY.fields().stream().map(Field::offset))
                .containsExactly(0, 8, 12, 14, 16, 20, 24, 32, 36);
    }

    @Test
    @DisplayName("QC-L2-12: the wider the cluster, the fewer bits has the offset of compressed data")
    void compressed() {
        assertThat(MappingLayout.compressedOffset(9).width()).isEqualTo(61);
        assertThat(MappingLayout.compressedSectors(9).width()).isEqualTo(1);
        assertThat(MappingLayout.compressedOffset(16).width()).isEqualTo(54);
        assertThat(MappingLayout.compressedSectors(16).mask()).isEqualTo(0x3fc0_0000_0000_0000L);
        assertThat(MappingLayout.compressedOffset(21).width()).isEqualTo(49);
        for (int clusterBits = 9; clusterBits <= 21; clusterBits++) {
            // QC-LIM-15: the sectors can name two clusters, and no more.
            long most = (1L << MappingLayout.compressedSectors(clusterBits).width()) * 512;
            assertThat(most).isEqualTo(2L << clusterBits);
        }
    }

    @Test
    @DisplayName(
            "QC-SUB-01 QC-SUB-03 QC-SUB-04 QC-SUB-08: an extended entry has 32 pairs of bits, compressed data none")
    void subclusters() {
        assertThat(MappingLayout.SUBCLUSTER_ALLOCATED.mask()).isEqualTo(0xffff_ffffL);
        assertThat(MappingLayout.SUBCLUSTER_ZERO.mask()).isEqualTo(0xffff_ffff_0000_0000L);
        assertThat(MappingLayout.COMPRESSED_BITMAP.size()).isEqualTo(MappingLayout.SUBCLUSTER_BITMAP.size());
        assertThat(MappingLayout.NO_SUBCLUSTERS.mask()).isEqualTo(-1L);
    }

    @Test
    @DisplayName("QC-BM-01 QC-BM-02 QC-BM-05 QC-BM-06 QC-BM-14: bitmaps, as the specification places their numbers")
    void bitmaps() {
        assertThat(ExtensionLayout.BITMAPS.fields().stream().map(Field::offset)).containsExactly(0, 4, 8, 16);
        assertThat(BitmapLayout.DIRECTORY_ENTRY.fields().stream().map(Field::offset))
                .containsExactly(0, 8, 12, 16, 17, 18, 20);
        assertThat(BitmapLayout.FLAGS_RESERVED.mask()).isEqualTo(0xffff_fff8L);
        assertThat(BitmapLayout.DATA_OFFSET.mask()).isEqualTo(0x00ff_ffff_ffff_fe00L);
        assertThat(BitmapLayout.RESERVED_HIGH.mask()).isEqualTo(0xff00_0000_0000_0000L);
    }

    @Test
    @DisplayName("QC-CRY-05 QC-CRY-15: the LUKS header has 592 bytes, eight key slots at its end")
    void encryptionHeader() {
        assertThat(EncryptionLayout.LUKS_HEADER.fields().stream().map(Field::offset))
                .containsExactly(0, 4, 6, 8, 40, 72, 104, 108, 112, 132, 164, 168);
        assertThat(EncryptionLayout.KEY_SLOT.fields().stream().map(Field::offset))
                .containsExactly(0, 4, 8, 40, 44);
        int bytes = EncryptionLayout.LUKS_HEADER.size() + EncryptionLayout.KEY_SLOTS * EncryptionLayout.KEY_SLOT.size();
        assertThat(bytes).isEqualTo(EncryptionLayout.BYTES);
    }

    @Test
    @DisplayName("QC-SNAP-07 QC-SNAP-12 QC-SNAP-13: extra data of a snapshot, counted from the entry's start")
    void snapshotExtraData() {
        int base = SnapshotLayout.ENTRY.size();
        assertThat(base + SnapshotLayout.LARGE_VM_STATE_SIZE.offset()).isEqualTo(40);
        assertThat(base + SnapshotLayout.DISK_SIZE.offset()).isEqualTo(48);
        assertThat(base + SnapshotLayout.INSTRUCTION_COUNT.offset()).isEqualTo(56);
        assertThat(base + SnapshotLayout.EXTRA_DATA.size()).isEqualTo(56);
    }

    @ParameterizedTest
    @MethodSource("structures")
    @DisplayName("QC-HDR-03: each field of bytes reads back what was poked, and pokes nothing else")
    void byteFields(Structure<ByteField> structure) {
        for (ByteField field : structure.fields()) {
            byte[] bytes = new byte[structure.size() + 5];
            ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            if (!field.isNumber()) {
                assertThatThrownBy(() -> field.get(buffer, 0)).isInstanceOf(UnsupportedOperationException.class);
                assertThatThrownBy(() -> field.set(buffer, 0, 1)).isInstanceOf(UnsupportedOperationException.class);
                continue;
            }
            long ones = field.width() == 8 ? -1 : (1L << (8 * field.width())) - 1;
            field.set(buffer, 5, -1);
            assertThat(field.get(buffer, 5)).as(field.name()).isEqualTo(ones);
            for (int at = 0; at < bytes.length; at++) {
                boolean inside = at >= 5 + field.offset() && at < 5 + field.end();
                assertThat(bytes[at]).as("%s, byte %d", field.name(), at).isEqualTo((byte) (inside ? -1 : 0));
            }
            field.set(buffer, 5, 1);
            assertThat(bytes[5 + field.end() - 1])
                    .as("the last byte is the least")
                    .isEqualTo((byte) 1);
            assertThat(buffer.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
            assertThat(buffer.position()).isZero();
        }
    }

    @Test
    @DisplayName("QC-REF-08: narrow counts start at the least significant bits of a byte")
    void narrowCounts() {
        ByteBuffer block = ByteBuffer.allocate(8);
        RefcountLayout.set(block, 0, 0, 0, 1);
        assertThat(block.get(0)).isEqualTo((byte) 0x01);
        RefcountLayout.set(block, 0, 7, 0, 1);
        assertThat(block.get(0)).isEqualTo((byte) 0x81);
        RefcountLayout.set(block, 0, 5, 1, 3);
        assertThat(block.get(1)).isEqualTo((byte) 0x0c);
        RefcountLayout.set(block, 0, 5, 2, 9);
        assertThat(block.get(2)).isEqualTo((byte) 0x90);
    }

    @Test
    @DisplayName("QC-HDR-24: other widths of a count do not exist")
    void unknownOrder() {
        ByteBuffer block = ByteBuffer.allocate(8);
        for (int order : List.of(-1, 7)) {
            assertThatThrownBy(() -> RefcountLayout.get(block, 0, 0, order))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> RefcountLayout.set(block, 0, 0, order, 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
