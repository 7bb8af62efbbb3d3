package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.noise;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.MemoryFileContent;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bitmaps of subclusters, written by hand and by the implementations. */
class SubclusterRulesFromOutsideTest {

    private static final int CLUSTER = 1 << 16;
    private static final int SUBCLUSTER = CLUSTER / 32;

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private static RuleImage overlay(DiskDriver driver) throws DiskException {
        RuleImage image = new RuleImage(
                driver,
                CreateOptions.ofSize(4 * CLUSTER)
                        .withClusterBits(16)
                        .withBacking("base", Optional.of(BackingFormat.RAW))
                        .withFeatures(FormatFeatures.PLAIN.withExtendedL2()));
        image.directory().put("base", MemoryFileContent.of(text(1, CLUSTER + 10 * SUBCLUSTER + 100)));
        return image;
    }

    private static byte[] base() {
        return Arrays.copyOf(text(1, CLUSTER + 10 * SUBCLUSTER + 100), 4 * CLUSTER);
    }

    private static long bitmap(RuleImage image, long guestCluster) throws DiskException {
        return image.longAt(image.entryAt(guestCluster) + 8);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-SUB-02 QC-SUB-03 QC-SUB-04 QC-SUB-05 QC-SUB-10: bits made by hand decide what each subcluster reads as")
    void bitsByHand(DiskDriver driver) throws Exception {
        RuleImage image = overlay(driver);
        try (VirtualDisk disk = image.open()) {
            disk.write(CLUSTER, ByteBuffer.wrap(text(2, CLUSTER)));
        }
        assertThat(bitmap(image, 1)).isEqualTo(0xffff_ffffL);
        byte[] stored = noise(3, CLUSTER);
        image.put(image.host(1), stored);
        long allocated = 0x8000_0a01L;
        long zero = 0x4000_0402L;
        image.putLong(image.entryAt(1) + 8, zero << 32 | allocated);
        image.mustBeClean();
        byte[] expected = Arrays.copyOfRange(base(), CLUSTER, 2 * CLUSTER);
        for (int x = 0; x < 32; x++) {
            int from = x * SUBCLUSTER;
            if ((allocated >>> x & 1) != 0) {
                System.arraycopy(stored, from, expected, from, SUBCLUSTER);
            } else if ((zero >>> x & 1) != 0) {
                Arrays.fill(expected, from, from + SUBCLUSTER, (byte) 0);
            }
        }
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, CLUSTER, CLUSTER)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SUB-11 QC-SUB-13 QC-SUB-14 QC-SUB-05: writes and zeroes change the bits of what they touch")
    void bitsByRequests(DiskDriver driver) throws Exception {
        RuleImage image = overlay(driver);
        byte[] expected = base();
        try (VirtualDisk disk = image.open()) {
            disk.write(CLUSTER + 3 * SUBCLUSTER + 5, ByteBuffer.wrap(text(4, 100)));
            System.arraycopy(text(4, 100), 0, expected, CLUSTER + 3 * SUBCLUSTER + 5, 100);
            assertThat(read(disk, 0, 4 * CLUSTER)).isEqualTo(expected);
        }
        assertThat(bitmap(image, 1) & 1L << 3).isNotZero();
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            disk.writeZeroes(CLUSTER + 3 * SUBCLUSTER, 2 * SUBCLUSTER, ZeroMode.KEEP_ALLOCATION);
            Arrays.fill(expected, CLUSTER + 3 * SUBCLUSTER, CLUSTER + 5 * SUBCLUSTER, (byte) 0);
            assertThat(read(disk, 0, 4 * CLUSTER)).isEqualTo(expected);
        }
        assertThat(bitmap(image, 1) & 0x18L).isZero();
        assertThat(bitmap(image, 1) >>> 32 & 0x18L).isEqualTo(0x18L);
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            disk.createSnapshot("one");
            disk.write(CLUSTER + 4 * SUBCLUSTER, ByteBuffer.wrap(text(5, 10)));
            byte[] written = expected.clone();
            System.arraycopy(text(5, 10), 0, written, CLUSTER + 4 * SUBCLUSTER, 10);
            assertThat(read(disk, 0, 4 * CLUSTER)).isEqualTo(written);
            disk.applySnapshot("1");
            assertThat(read(disk, 0, 4 * CLUSTER)).isEqualTo(expected);
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SUB-06 QC-SUB-07: a bitmap that contradicts itself is refused, and nothing of it is shown")
    void contradictions(DiskDriver driver) throws Exception {
        RuleImage image = overlay(driver);
        try (VirtualDisk disk = image.open()) {
            disk.write(CLUSTER, ByteBuffer.wrap(text(2, CLUSTER)));
        }
        byte[] right = image.bytes();
        image.putLong(image.entryAt(1) + 8, 0x1_0000_0001L);
        assertReadRefused(image);
        image.replace(right);
        image.putLong(image.entryAt(1), 0);
        assertReadRefused(image);
    }

    private static void assertReadRefused(RuleImage image) throws DiskException {
        try (VirtualDisk disk = image.open()) {
            assertThatThrownBy(() -> read(disk, CLUSTER, 100)).isInstanceOf(ImageException.class);
        }
    }
}
