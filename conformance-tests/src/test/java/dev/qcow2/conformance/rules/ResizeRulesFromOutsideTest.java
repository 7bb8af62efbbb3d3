package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Disks whose length changes, and disks that have their clusters from the start. */
class ResizeRulesFromOutsideTest {

    private static final CreateOptions SMALL = CreateOptions.ofSize(1 << 20).withClusterBits(9);

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private static void resizeOrSkip(VirtualDisk disk, long size) throws DiskException {
        try {
            disk.resize(size, Preallocation.OFF);
        } catch (UnsupportedFeatureException e) {
            abort("it does not have " + e.feature());
        }
    }

    private static void applyOrSkip(VirtualDisk disk, String id) throws DiskException {
        try {
            disk.applySnapshot(id);
        } catch (RequestRefusedException e) {
            abort("it does not load snapshots of another size");
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-01 QC-MNT-02: what a resize adds reads as zero, over a longer backing file and over what was cut off")
    void addedBytes(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(
                driver,
                CreateOptions.ofSize(10_100).withClusterBits(12).withBacking("base", Optional.of(BackingFormat.RAW)));
        image.directory().put("base", MemoryFileContent.of(text(1, 60_000)));
        byte[] expected = Arrays.copyOf(text(1, 60_000), 10_100);
        try (VirtualDisk disk = image.open()) {
            disk.write(9_000, ByteBuffer.wrap(text(2, 1_000)));
            System.arraycopy(text(2, 1_000), 0, expected, 9_000, 1_000);
            for (int size : new int[] {50_000, 9_500, 20_000, 100, 70_000, 0, 8_192}) {
                resizeOrSkip(disk, size);
                expected = Arrays.copyOf(expected, size);
                assertThat(disk.size()).isEqualTo(size);
                assertThat(read(disk, 0, size)).isEqualTo(expected);
            }
        }
        image.mustBeClean();
        assertThat(image.header(HeaderLayout.SIZE)).isEqualTo(8_192);
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, 8_192)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-03 QC-LIM-02: a size that no L1 table can map is refused, and the disk is as before")
    void tooLarge(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.write(5000, ByteBuffer.wrap(text(1, 9000)));
            resizeOrSkip(disk, 1 << 20);
            assertThatThrownBy(() -> disk.resize(1L << 38, Preallocation.OFF)).isInstanceOf(DiskException.class);
            assertThatThrownBy(() -> disk.resize(Long.MAX_VALUE, Preallocation.OFF))
                    .isInstanceOf(DiskException.class);
            assertThat(disk.size()).isEqualTo(1 << 20);
            assertThat(read(disk, 5000, 9000)).isEqualTo(text(1, 9000));
        }
        assertThat(image.header(HeaderLayout.SIZE)).isEqualTo(1 << 20);
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-04: a version 2 image with snapshots keeps its size")
    void version2(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL.withVersion(2));
        try (VirtualDisk disk = image.open()) {
            resizeOrSkip(disk, 2 << 20);
            disk.createSnapshot("one");
            assertThatThrownBy(() -> disk.resize(3 << 20, Preallocation.OFF)).isInstanceOf(DiskException.class);
            assertThat(disk.size()).isEqualTo(2 << 20);
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-05 QC-L1-06: a disk that grows gets a longer L1 table, and the old one is given back")
    void longerTable(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        long entries = image.header(HeaderLayout.L1_SIZE);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 5000)));
            resizeOrSkip(disk, 64 << 20);
            disk.write((64 << 20) - 10, ByteBuffer.wrap(text(2, 10)));
            assertThat(read(disk, 0, 5000)).isEqualTo(text(1, 5000));
            assertThat(read(disk, (64 << 20) - 10, 10)).isEqualTo(text(2, 10));
        }
        assertThat(image.header(HeaderLayout.L1_SIZE)).isGreaterThan(entries);
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-L2-16: an entry behind the disk's end shows nothing when the disk grows over it")
    void entryBehindTheEnd(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(20 << 12).withClusterBits(12));
        try (VirtualDisk disk = image.open()) {
            disk.write(10 << 12, ByteBuffer.wrap(text(1, 10 << 12)));
        }
        // The disk ends now in front of what was written, but nobody was told to give it up.
        image.set(HeaderLayout.SIZE, 0, 10 << 12);
        try (VirtualDisk disk = image.open()) {
            resizeOrSkip(disk, 20 << 12);
            assertThat(read(disk, 10 << 12, 10 << 12)).isEqualTo(new byte[10 << 12]);
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-30 QC-SNAP-17 QC-SNAP-12: a snapshot keeps its length, and gives it back to the disk")
    void snapshotsKeepTheirs(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 1 << 20)));
            disk.createSnapshot("one");
            resizeOrSkip(disk, 5000);
            disk.write(0, ByteBuffer.wrap(text(2, 5000)));
            disk.createSnapshot("two");
            assertThat(disk.snapshots()).extracting(SnapshotInfo::diskSize).containsExactly(1L << 20, 5000L);
        }
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            applyOrSkip(disk, "1");
            assertThat(disk.size()).isEqualTo(1 << 20);
            assertThat(read(disk, 0, 1 << 20)).isEqualTo(text(1, 1 << 20));
            disk.applySnapshot("2");
            assertThat(read(disk, 0, 5000)).isEqualTo(text(2, 5000));
            assertThat(disk.size()).isEqualTo(5000);
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @EnumSource(
            value = Preallocation.class,
            names = {"METADATA", "FALLOC", "FULL"})
    @DisplayName("QC-MNT-06 QC-MNT-07: preallocated clusters are there, each for itself, and read as zero")
    void preallocation(Preallocation how) throws Exception {
        for (DiskDriver driver : drivers().toList()) {
            RuleImage image = new RuleImage(driver, SMALL.withFeatures(FormatFeatures.PLAIN.withPreallocation(how)));
            boolean done = MappingLayout.L1_OFFSET.isSet(image.longAt(image.header(HeaderLayout.L1_TABLE_OFFSET)));
            assumeTrue(done, driver + " does not preallocate");
            for (int cluster = 0; cluster < 2048; cluster += 97) {
                assertThat(image.count(image.host(cluster))).isEqualTo(1);
            }
            image.mustBeClean();
            try (VirtualDisk disk = image.open()) {
                assertThat(read(disk, 0, 1 << 20)).isEqualTo(new byte[1 << 20]);
                disk.write(777, ByteBuffer.wrap(text(1, 5000)));
                assertThat(read(disk, 777, 5000)).isEqualTo(text(1, 5000));
            }
            image.mustBeClean();
        }
    }
}
