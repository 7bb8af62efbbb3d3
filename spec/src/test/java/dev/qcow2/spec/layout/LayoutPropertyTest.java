package dev.qcow2.spec.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Poking a field changes that field and nothing else, whatever stands around it. */
class LayoutPropertyTest {

    @Property
    @Label("QC-L1-01 QC-L2-04 QC-REF-04: each field of bits reads back what was poked, and pokes nothing else")
    void bitFields(@ForAll long entry, @ForAll long value) {
        for (Structure<BitField> structure : LayoutCatalogue.entries()) {
            for (BitField field : structure.fields()) {
                long poked = field.set(entry, value);
                assertThat(poked & ~field.mask()).isEqualTo(entry & ~field.mask());
                assertThat(field.get(poked)).isEqualTo(value & (field.mask() >>> field.offset()));
                assertThat(field.inPlace(poked)).isEqualTo(field.get(poked) << field.offset());
                assertThat(field.isSet(poked)).isEqualTo(field.get(poked) != 0);
            }
        }
    }

    @Property
    @Label("QC-REF-08 QC-REF-09 QC-HDR-24: a count of any width reads back, and its neighbours stay")
    void counts(
            @ForAll @IntRange(max = 6) int order,
            @ForAll @IntRange(max = 63) int index,
            @ForAll long count,
            @ForAll byte fill) {
        byte[] bytes = new byte[600];
        Arrays.fill(bytes, fill);
        ByteBuffer block = ByteBuffer.wrap(bytes);
        ByteBuffer before = ByteBuffer.wrap(bytes.clone());
        RefcountLayout.set(block, 24, index, order, count);
        long mask = order == 6 ? -1 : (1L << (1 << order)) - 1;
        for (int other = 0; other < 64; other++) {
            long expected = other == index ? count & mask : RefcountLayout.get(before, 24, other, order);
            assertThat(RefcountLayout.get(block, 24, other, order)).isEqualTo(expected);
        }
    }
}
