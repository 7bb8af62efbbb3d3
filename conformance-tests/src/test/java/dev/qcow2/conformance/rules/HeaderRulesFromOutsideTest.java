package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.NAME;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Header, extensions, backing name and counts. */
class HeaderRulesFromOutsideTest {

    private static final CreateOptions SMALL = CreateOptions.ofSize(1 << 20).withClusterBits(12);

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-HDR-31 QC-HDR-32: a new image has no feature bits, whole clusters, and so it stays")
    void newImage(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        for (int round = 0; round < 2; round++) {
            assertThat(image.header(HeaderLayout.INCOMPATIBLE_FEATURES)).isZero();
            assertThat(image.header(HeaderLayout.COMPATIBLE_FEATURES)).isZero();
            assertThat(image.header(HeaderLayout.AUTOCLEAR_FEATURES)).isZero();
            try (VirtualDisk disk = image.open()) {
                disk.write(5000, ByteBuffer.wrap(text(1, 9000)));
                disk.createSnapshot("one");
                disk.write(6000, ByteBuffer.wrap(text(2, 10)));
            }
            image.mustBeClean();
            long mask = (1L << image.clusterBits()) - 1;
            assertThat(image.header(HeaderLayout.L1_TABLE_OFFSET) & mask).isZero();
            assertThat(image.header(HeaderLayout.SNAPSHOTS_OFFSET) & mask).isZero();
            assertThat(image.host(1) & mask).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-HDR-33: a header that is longer than the first cluster is refused")
    void headerTooLong(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(1 << 20).withClusterBits(9));
        image.set(HeaderLayout.HEADER_LENGTH, 0, 520);
        assertThatThrownBy(() -> image.open(OpenOptions.readOnly())).isInstanceOf(ImageException.class);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-HDR-35 QC-MNT-09: images marked dirty or corrupt are read as they stand, and refused for writing")
    void markedImages(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.write(5000, ByteBuffer.wrap(text(1, 9000)));
        }
        for (long bits = 1; bits < 4; bits++) {
            image.set(HeaderLayout.INCOMPATIBLE_FEATURES, 0, bits);
            byte[] before = image.bytes();
            try (VirtualDisk disk = image.open(OpenOptions.readOnly())) {
                assertThat(read(disk, 5000, 9000)).isEqualTo(text(1, 9000));
            }
            assertThatThrownBy(() -> driver.open(image.directory(), NAME, OpenOptions.readWrite()))
                    .isInstanceOf(ImageException.class);
            assertThat(image.bytes()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-EXT-12 QC-BACK-08: a format and a name of a backing file end where their lengths say, whatever follows")
    void strings(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL.withBacking("base", Optional.of(BackingFormat.RAW)));
        image.directory().put("base", MemoryFileContent.of(text(3, 20_000)));
        long at = image.header(HeaderLayout.HEADER_LENGTH);
        while (image.get(ExtensionLayout.TYPE, at) != ExtensionLayout.TYPE_BACKING_FORMAT) {
            at += 8 + ((image.get(ExtensionLayout.LENGTH, at) + 7) & ~7L);
        }
        assertThat(image.get(ExtensionLayout.LENGTH, at)).isEqualTo(3);
        image.put(at + 8 + 3, "xxxxx".getBytes(StandardCharsets.US_ASCII));
        long name = image.header(HeaderLayout.BACKING_FILE_OFFSET) + image.header(HeaderLayout.BACKING_FILE_SIZE);
        image.put(name, "/elsewhere".getBytes(StandardCharsets.US_ASCII));
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, 20_000)).isEqualTo(text(3, 20_000));
            disk.write(0, ByteBuffer.wrap(text(4, 10)));
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BACK-09: overlay and backing file have sizes and clusters of their own")
    void sizesOfTheirOwn(DiskDriver driver) throws Exception {
        for (long size : new long[] {10_000, 300_000}) {
            RuleImage image = new RuleImage(
                    driver,
                    CreateOptions.ofSize(size)
                            .withClusterBits(9)
                            .withBacking("base", Optional.of(BackingFormat.QCOW2)));
            driver.create(
                    image.directory(), "base", CreateOptions.ofSize(100_000).withClusterBits(16));
            try (VirtualDisk base = driver.open(image.directory(), "base", OpenOptions.readWrite())) {
                base.write(0, ByteBuffer.wrap(text(5, 100_000)));
            }
            byte[] expected = Arrays.copyOf(text(5, 100_000), (int) size);
            try (VirtualDisk disk = image.open()) {
                assertThat(disk.size()).isEqualTo(size);
                disk.write(777, ByteBuffer.wrap(text(6, 3)));
                System.arraycopy(text(6, 3), 0, expected, 777, 3);
                assertThat(read(disk, 0, (int) size)).isEqualTo(expected);
            }
            image.mustBeClean();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-EXT-13 QC-EXT-14: the refusal of an unknown feature calls it by the name that the image gives it")
    void featureName(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        ByteBuffer table = ByteBuffer.allocate(200);
        table.putInt((int) ExtensionLayout.TYPE_FEATURE_NAMES).putInt(48 + 10);
        table.put((byte) 0).put((byte) 40).put("frobnication".getBytes(StandardCharsets.US_ASCII));
        // A rest that is no whole entry would name bit 41, were it one.
        table.position(8 + 48).put((byte) 0).put((byte) 41).put("halfname".getBytes(StandardCharsets.US_ASCII));
        image.put(image.header(HeaderLayout.HEADER_LENGTH), table.array());
        image.set(HeaderLayout.INCOMPATIBLE_FEATURES, 0, 1L << 40);
        assertRefused(driver, image, "frobnication");
        image.set(HeaderLayout.INCOMPATIBLE_FEATURES, 0, 1L << 41);
        assertRefused(driver, image, "41");
    }

    private static void assertRefused(DiskDriver driver, RuleImage image, String name) {
        assertThatThrownBy(() -> driver.open(image.directory(), NAME, OpenOptions.readOnly()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining(name)
                .hasMessageNotContaining("halfname");
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-REF-17 QC-REF-18: the refcount table grows, in one piece, before clusters beyond its reach are used")
    void tableGrows(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(
                driver, CreateOptions.ofSize(4 << 20).withClusterBits(9).withRefcountOrder(6));
        long before = image.header(HeaderLayout.REFCOUNT_TABLE_CLUSTERS);
        // A table of one cluster has 64 entries for blocks of 64 counts: 2 MiB of the file.
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 3 << 20)));
            assertThat(read(disk, 0, 3 << 20)).isEqualTo(text(1, 3 << 20));
        }
        assertThat(image.header(HeaderLayout.REFCOUNT_TABLE_CLUSTERS)).isGreaterThan(before);
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-13: the last guest cluster may pass the disk's end, and is a whole cluster all the same")
    void lastCluster(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(4096 + 100).withClusterBits(12));
        try (VirtualDisk disk = image.open()) {
            disk.write(4096 + 99, ByteBuffer.wrap(new byte[] {7}));
            assertThatThrownBy(() -> read(disk, 4096 + 99, 2)).isInstanceOf(OutOfBoundsException.class);
            assertThat(read(disk, 4096, 100)[99]).isEqualTo((byte) 7);
        }
        assertThat(MappingLayout.L2_COPIED.isSet(image.entry(1))).isTrue();
        assertThat(image.count(image.host(1))).isEqualTo(1);
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-LIM-19: tables that the file can't hold are refused before memory is taken for them")
    void claims(DiskDriver driver) throws Exception {
        RuleImage l1 = new RuleImage(driver, SMALL);
        l1.set(HeaderLayout.L1_SIZE, 0, 4 << 20);
        assertThatThrownBy(() -> l1.open(OpenOptions.readOnly())).isInstanceOf(ImageException.class);
        RuleImage snapshots = new RuleImage(driver, SMALL);
        snapshots.set(HeaderLayout.NB_SNAPSHOTS, 0, 65_536);
        snapshots.set(HeaderLayout.SNAPSHOTS_OFFSET, 0, 1L << 40);
        assertThatThrownBy(() -> snapshots.open(OpenOptions.readOnly())).isInstanceOf(ImageException.class);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-EXT-02 QC-EXT-10: an extension that could not be ignored is none behind the end of their area")
    void behindTheEnd(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        long at = image.header(HeaderLayout.HEADER_LENGTH);
        ByteBuffer encryption = ByteBuffer.allocate(32);
        encryption
                .putInt((int) ExtensionLayout.TYPE_ENCRYPTION)
                .putInt(16)
                .putLong(0)
                .putLong(0);
        image.put(at, new byte[8]);
        image.put(at + 8, encryption.array());
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 10)));
        }
        image.put(at, encryption.array());
        assertThatThrownBy(() -> image.open(OpenOptions.readOnly())).isInstanceOf(ImageException.class);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-EXT-05: an extension that is there twice is refused, not taken once")
    void twice(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL.withBacking("base", Optional.of(BackingFormat.RAW)));
        image.directory().put("base", MemoryFileContent.of(text(3, 20_000)));
        ByteBuffer formats = ByteBuffer.allocate(40);
        for (String format : new String[] {"qcow2", "raw"}) {
            formats.putInt((int) ExtensionLayout.TYPE_BACKING_FORMAT).putInt(format.length());
            formats.put(format.getBytes(StandardCharsets.US_ASCII));
            formats.position((formats.position() + 7) & ~7);
        }
        image.put(2000, "base".getBytes(StandardCharsets.US_ASCII));
        image.set(HeaderLayout.BACKING_FILE_OFFSET, 0, 2000);
        image.put(image.header(HeaderLayout.HEADER_LENGTH), formats.array());
        assertThatThrownBy(() -> image.open(OpenOptions.readOnly()))
                .isInstanceOfSatisfying(MalformedImageException.class, e -> assertThat(e.clause())
                        .isEqualTo(ExtensionClause.QC_EXT_05));
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-HDR-04: without an offset there is no backing file, whatever its name's length is said to be")
    void noBackingFile(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        image.set(HeaderLayout.BACKING_FILE_SIZE, 0, 0xffff_ffffL);
        // The caller allows no backing file, so one would be refused.
        try (VirtualDisk disk = driver.open(image.directory(), NAME, OpenOptions.readWrite())) {
            disk.write(0, ByteBuffer.wrap(text(1, 10)));
            assertThat(read(disk, 0, 20)).isEqualTo(Arrays.copyOf(text(1, 10), 20));
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-HDR-25 QC-HDR-26: fields behind those that are known are ignored, and keep their bytes")
    void laterFields(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        image.put(112, text(4, 888));
        image.put(1000, new byte[8]);
        image.set(HeaderLayout.HEADER_LENGTH, 0, 1000);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 10)));
            disk.createSnapshot("one");
            disk.bitmaps().add("b", 12, true);
        }
        assertThat(Arrays.copyOfRange(image.bytes(), 112, 1000)).isEqualTo(text(4, 888));
        assertThat(image.header(HeaderLayout.HEADER_LENGTH)).isEqualTo(1000);
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-LIM-14: the name of a data file has 1 to 1023 bytes")
    void dataFileNames(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(
                driver,
                CreateOptions.ofSize(1 << 20).withFeatures(FormatFeatures.PLAIN.withDataFile("d".repeat(1023), false)));
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 10)));
        }
        long at = image.header(HeaderLayout.HEADER_LENGTH);
        while (image.get(ExtensionLayout.TYPE, at) != ExtensionLayout.TYPE_DATA_FILE) {
            at += 8 + ((image.get(ExtensionLayout.LENGTH, at) + 7) & ~7L);
        }
        long name = at;
        image.directory().put("d".repeat(1024), MemoryFileContent.of(new byte[1 << 20]));
        image.put(name + 8 + 1023, new byte[] {'d', 0, 0, 0, 0, 0, 0, 0, 0});
        for (long length : new long[] {0, 1024}) {
            image.set(ExtensionLayout.LENGTH, name, length);
            assertThatThrownBy(() -> image.open(OpenOptions.readOnly())).isInstanceOf(ImageException.class);
        }
    }
}
