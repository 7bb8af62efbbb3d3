package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.noise;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** External data files, looked at from both sides. */
class DataFileRulesFromOutsideTest {

    private static final int CLUSTER = 1 << 12;
    private static final int SIZE = 20 * CLUSTER + 100;

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private static RuleImage image(DiskDriver driver, boolean raw) throws DiskException {
        return new RuleImage(
                driver,
                CreateOptions.ofSize(SIZE)
                        .withClusterBits(12)
                        .withFeatures(FormatFeatures.PLAIN.withDataFile("data", raw)));
    }

    private static byte[] data(RuleImage image) throws DiskException {
        return image.directory().content("data").toByteArray();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-DATA-01 QC-DATA-02 QC-DATA-09 QC-DATA-11: a raw data file is the disk, byte by byte and at its length")
    void raw(DiskDriver driver) throws Exception {
        RuleImage image = image(driver, true);
        assertThat(data(image)).isEqualTo(new byte[SIZE]);
        byte[] expected = new byte[SIZE];
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 6 * CLUSTER)));
            System.arraycopy(text(1, 6 * CLUSTER), 0, expected, 0, 6 * CLUSTER);
            disk.writeZeroes(CLUSTER, CLUSTER + 10, ZeroMode.MAY_UNMAP);
            Arrays.fill(expected, CLUSTER, 2 * CLUSTER + 10, (byte) 0);
            disk.discard(4 * CLUSTER, CLUSTER);
            Arrays.fill(expected, 4 * CLUSTER, 5 * CLUSTER, (byte) 0);
            disk.write(SIZE - 5, ByteBuffer.wrap(text(2, 5)));
            System.arraycopy(text(2, 5), 0, expected, SIZE - 5, 5);
            disk.flush();
            assertThat(read(disk, 0, SIZE)).isEqualTo(expected);
        }
        assertThat(data(image)).isEqualTo(expected);
        assertThat(image.host(5)).isEqualTo(5 * CLUSTER);
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-DATA-08: a data file is not opened without the caller's leave, not even for reading")
    void policy(DiskDriver driver) throws Exception {
        RuleImage image = image(driver, false);
        for (OpenOptions options : new OpenOptions[] {OpenOptions.readOnly(), OpenOptions.readWrite()}) {
            assertThatThrownBy(() -> driver.open(image.directory(), RuleImage.NAME, options))
                    .isInstanceOf(DiskException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-DATA-10 QC-DATA-04: zeros and what was never written read as zero, whatever the data file holds there")
    void junkBelow(DiskDriver driver) throws Exception {
        RuleImage image = image(driver, false);
        image.directory().put("data", MemoryFileContent.of(noise(1, SIZE)));
        byte[] expected = new byte[SIZE];
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, SIZE)).isEqualTo(expected);
            disk.write(3 * CLUSTER + 7, ByteBuffer.wrap(text(1, 100)));
            System.arraycopy(text(1, 100), 0, expected, 3 * CLUSTER + 7, 100);
            disk.writeZeroes(5 * CLUSTER, 2 * CLUSTER, ZeroMode.MAY_UNMAP);
            assertThat(read(disk, 0, SIZE)).isEqualTo(expected);
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-DATA-12: a data file's name without the feature bit names nothing, and is kept")
    void nameWithoutBit(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(SIZE).withClusterBits(12));
        ByteBuffer extension = ByteBuffer.allocate(32);
        extension.putInt((int) ExtensionLayout.TYPE_DATA_FILE).putInt(4);
        extension.put("data".getBytes(StandardCharsets.US_ASCII));
        long at = image.header(HeaderLayout.HEADER_LENGTH);
        image.put(at, extension.array());
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 3 * CLUSTER)));
            disk.createSnapshot("one");
            assertThat(read(disk, 0, 3 * CLUSTER)).isEqualTo(text(1, 3 * CLUSTER));
        }
        assertThat(image.directory().fileNames()).doesNotContain("data");
        assertThat(image.longAt(at + 8) >>> 32).isEqualTo(0x64617461L);
        image.mustBeClean();
    }
}
