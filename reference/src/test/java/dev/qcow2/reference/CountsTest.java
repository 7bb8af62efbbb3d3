package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reference counts of every width. */
class CountsTest {

    @ParameterizedTest
    @CsvSource({"0, 9, 1, 1, 2", "1, 5, 3, 1, 12", "2, 3, 9, 1, 144", "3, 2, 200, 2, 200"})
    @DisplayName("QC-REF-08 counts narrower than a byte fill it from the least significant bits")
    void bitOrder(int order, int place, long count, int expectedByte, int expectedValue) {
        ByteBuffer block = ByteBuffer.allocate(512);
        Counts.put(block, place, order, count);
        assertThat(block.get(expectedByte) & 0xff).isEqualTo(expectedValue);
        assertThat(Counts.byteOf(place, order)).isEqualTo(expectedByte);
    }

    @Test
    @DisplayName("QC-HDR-03 wide counts have their most significant byte first")
    void byteOrder() {
        ByteBuffer block = ByteBuffer.allocate(512);
        Counts.put(block, 1, 4, 0x1234);
        Counts.put(block, 2, 5, 0x89abcdefL);
        Counts.put(block, 3, 6, 0x0102030405060708L);
        assertThat(block.get(2)).isEqualTo((byte) 0x12);
        assertThat(block.get(8)).isEqualTo((byte) 0x89);
        assertThat(block.get(31)).isEqualTo((byte) 8);
        assertThat(Counts.get(block, 2, 5)).isEqualTo(0x89abcdefL);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
    @DisplayName("QC-REF-07 QC-REF-08 a count leaves its neighbours alone")
    void neighboursStay(int order) {
        Geometry geometry = new Geometry(9, order, 0, false);
        ByteBuffer block = ByteBuffer.allocate(512);
        long highest = geometry.highestCount();
        for (int place = 0; place < geometry.countsPerBlock(); place++) {
            Counts.put(block, place, order, highest);
        }
        Counts.put(block, 7, order, 0);
        for (int place = 0; place < geometry.countsPerBlock(); place++) {
            assertThat(Counts.get(block, place, order)).isEqualTo(place == 7 ? 0 : highest);
        }
    }
}
