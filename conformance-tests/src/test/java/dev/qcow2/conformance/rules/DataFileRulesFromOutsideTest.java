package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.noise;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
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

    /** All sizes and preallocations, over what an older, longer disk or a stranger left in the data file. */
    static Stream<Arguments> resizes() {
        return drivers().flatMap(driver -> Stream.of(true, false).flatMap(raw -> Stream.of(Preallocation.values())
                .map(preallocation -> Arguments.of(driver, raw, preallocation))));
    }

    @ParameterizedTest
    @MethodSource("resizes")
    @DisplayName(
            "QC-DATA-09 QC-DATA-11 QC-MNT-01 QC-MNT-02 QC-MNT-06: resizes with a data file, which has something behind the disk's end")
    void resize(DiskDriver driver, boolean raw, Preallocation preallocation) throws Exception {
        RuleImage image = image(driver, raw);
        byte[] longer = Arrays.copyOf(data(image), SIZE + 8 * CLUSTER);
        Arrays.fill(longer, SIZE, longer.length, (byte) 77);
        image.directory().put("data", MemoryFileContent.of(longer));
        int last = SIZE + 12 * CLUSTER + 7;
        byte[] expected = Arrays.copyOf(text(1, SIZE), last);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, SIZE)));
            disk.resize(last, preallocation);
            assertThat(read(disk, 0, last)).isEqualTo(expected);
            disk.resize(5 * CLUSTER + 9, Preallocation.OFF);
            disk.resize(7 * CLUSTER, preallocation);
            Arrays.fill(expected, 5 * CLUSTER + 9, last, (byte) 0);
            assertThat(read(disk, 0, 7 * CLUSTER)).isEqualTo(Arrays.copyOf(expected, 7 * CLUSTER));
        }
        image.mustBeClean();
        if (raw) {
            assertThat(data(image)).isEqualTo(Arrays.copyOf(expected, 7 * CLUSTER));
        }
        assertThat(data(image)).hasSizeGreaterThanOrEqualTo(7 * CLUSTER);
    }

    @ParameterizedTest
    @MethodSource("resizes")
    @DisplayName("QC-MNT-06 QC-MNT-07 QC-DATA-02 QC-DATA-04: a preallocated data file has a place for each cluster")
    void preallocated(DiskDriver driver, boolean raw, Preallocation preallocation) throws Exception {
        RuleImage image = new RuleImage(
                driver,
                CreateOptions.ofSize(SIZE)
                        .withClusterBits(12)
                        .withFeatures(
                                FormatFeatures.PLAIN.withDataFile("data", raw).withPreallocation(preallocation)));
        if (preallocation != Preallocation.OFF) {
            for (int cluster = 0; cluster <= SIZE / CLUSTER; cluster++) {
                assertThat(image.host(cluster)).isEqualTo((long) cluster * CLUSTER);
                assertThat(MappingLayout.L2_COPIED.isSet(image.entry(cluster))).isTrue();
            }
        }
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, SIZE)).isEqualTo(new byte[SIZE]);
            disk.write(10, ByteBuffer.wrap(text(1, 5000)));
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-DATA-03 QC-MNT-11 QC-MNT-19: repair and another width with a data file, whose clusters have no counts")
    void maintenance(DiskDriver driver) throws Exception {
        OpenOptions options = OpenOptions.readWrite().followingDataFile();
        RuleImage image = image(driver, false);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, SIZE)));
        }
        MaintenanceDriver maintenance = (MaintenanceDriver) driver;
        assertThat(maintenance.repair(image.directory(), RuleImage.NAME, RepairMode.ALL, options))
                .isEqualTo(new RepairReport(0, 0, 0, 0));
        image.count(0, 0);
        RepairReport report = maintenance.repair(image.directory(), RuleImage.NAME, RepairMode.ALL, options);
        assertThat(report.clean()).isTrue();
        assertThat(report.corruptionsFixed()).isEqualTo(1);
        maintenance.amend(image.directory(), RuleImage.NAME, AmendOptions.NOTHING.withRefcountOrder(0), options);
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, SIZE)).isEqualTo(text(1, SIZE));
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-L2-15 QC-L2-09: a zero cluster may keep the place 0 of a data file, as QEMU writes it")
    void zeroClusterAtPlace0(DiskDriver driver) throws Exception {
        RuleImage image = image(driver, false);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, SIZE)));
        }
        image.putLong(image.entryAt(0), 0x8000_0000_0000_0001L);
        image.mustBeClean();
        OpenOptions options = OpenOptions.readWrite().followingDataFile();
        RepairReport report =
                ((MaintenanceDriver) driver).repair(image.directory(), RuleImage.NAME, RepairMode.ALL, options);
        assertThat(report).isEqualTo(new RepairReport(0, 0, 0, 0));
        byte[] expected = text(1, SIZE);
        Arrays.fill(expected, 0, CLUSTER, (byte) 0);
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, SIZE)).isEqualTo(expected);
            disk.write(1, ByteBuffer.wrap(text(2, 1)));
            expected[1] = text(2, 1)[0];
            assertThat(read(disk, 0, SIZE)).isEqualTo(expected);
        }
        image.mustBeClean();
    }
}
