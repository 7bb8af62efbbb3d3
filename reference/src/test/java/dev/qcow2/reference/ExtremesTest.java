package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.reference.RandomOperationsTest.Feature;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The ends of what the format allows, and headers with more in them than is known. */
class ExtremesTest {

    private static final OpenOptions FOLLOW = OpenOptions.readWrite().followingDataFile();

    private final ReferenceDriver driver = new ReferenceDriver();

    private static void requireClean(HostDirectory directory) throws DiskException {
        try (HostFile file = directory.open("image", Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            assertThat(report.clean()).as(report.toText()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(Feature.class)
    @DisplayName("QC-HDR-07 QC-GUEST-02 a disk without a byte can be used like any other")
    void noBytes(Feature feature) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", CreateOptions.ofSize(0).withFeatures(feature.features));
        boolean dataFile = feature.features.dataFile().isPresent();
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.write(0, ByteBuffer.allocate(0));
            disk.read(0, ByteBuffer.allocate(0));
            disk.writeZeroes(0, 0, ZeroMode.MAY_UNMAP);
            disk.discard(0, 0);
            assertThat(disk.status(0, 0)).isEmpty();
            assertThatThrownBy(() -> disk.write(0, ByteBuffer.allocate(1))).isInstanceOf(OutOfBoundsException.class);
            if (!dataFile) {
                disk.writeCompressed(0, ByteBuffer.allocate(0));
                disk.writeVmState(0, ByteBuffer.wrap(new byte[] {1}));
                String id = disk.createSnapshot("s", 1).id();
                requireClean(directory);
                disk.applySnapshot(id);
                disk.deleteSnapshot(id);
            }
        }
    }

    @Test
    @DisplayName(
            "QC-LIM-19 the entries of an L1 table that lead nowhere take no memory each, for there may be millions")
    void emptyEntries() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", CreateOptions.ofSize(1L << 40));
        try (HostFile file = directory.open("image", Access.READ_ONLY)) {
            assertThat(new Reach(Image.of(file)).activeL1()).hasSize(2048).allSatisfy(entry -> assertThat(entry)
                    .isSameAs(L1Entry.UNALLOCATED));
        }
    }

    @ParameterizedTest
    @CsvSource({"9, PLAIN, 37", "16, PLAIN, 51", "14, EXTENDED, 46", "21, PLAIN, 61", "21, EXTENDED, 60", "9, DATA, 37"
    })
    @DisplayName("QC-LIM-02 QC-LIM-06 QC-SUB-01 an L1 table of 32 MiB: its last byte is there, one more is refused")
    void largestDisk(int clusterBits, Feature feature, int sizeBits, @TempDir Path path) throws Exception {
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        CreateOptions options = new CreateOptions(1L << sizeBits, 3, clusterBits, 4, Optional.empty());
        CreateOptions larger = new CreateOptions((1L << sizeBits) + 1, 3, clusterBits, 4, Optional.empty());
        assertThatThrownBy(() -> driver.create(directory, "image", larger.withFeatures(feature.features)))
                .isInstanceOf(RequestRefusedException.class);
        driver.create(directory, "image", options.withFeatures(feature.features));
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.write((1L << sizeBits) - 2, ByteBuffer.wrap(new byte[] {3, 4}));
            ByteBuffer seen = ByteBuffer.allocate(4);
            disk.read((1L << sizeBits) - 4, seen);
            assertThat(seen.array()).containsExactly(0, 0, 3, 4);
            disk.writeZeroes((1L << sizeBits) - 1, 1, ZeroMode.KEEP_ALLOCATION);
            assertThatThrownBy(() -> disk.readVmState(0, ByteBuffer.allocate(1)))
                    .isInstanceOf(OutOfBoundsException.class);
        }
        Qemu.assumeInstalled();
        Qemu.check(path, "image");
    }

    @ParameterizedTest
    @CsvSource({"0, PLAIN", "6, PLAIN", "0, EXTENDED", "6, ZSTD", "6, EXTENDED_ZSTD"})
    @DisplayName(
            "QC-REF-12 QC-CMP-08 QC-HDR-24 the refcount table grows under compressed clusters, subclusters and machine state")
    void tableGrows(int order, Feature feature, @TempDir Path path) throws Exception {
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        boolean extended = feature.features.extendedL2();
        int clusterBits = extended ? 14 : 10;
        int size = 6 << 20;
        driver.create(
                directory,
                "image",
                new CreateOptions(size, 3, clusterBits, order, Optional.empty()).withFeatures(feature.features));
        byte[] bytes = RandomOperationsTest.packable(size, (byte) 40);
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.writeCompressed(0, ByteBuffer.wrap(bytes));
            disk.writeVmState(0, ByteBuffer.wrap(bytes));
            ByteBuffer seen = ByteBuffer.allocate(size);
            disk.readVmState(0, seen);
            assertThat(Arrays.mismatch(seen.array(), bytes)).isEqualTo(-1);
        }
        Qemu.assumeInstalled();
        Qemu.check(path, "image");
        assertThat(Arrays.mismatch(Qemu.read(path, "image"), bytes)).isEqualTo(-1);
    }

    @Test
    @DisplayName(
            "QC-HDR-25 QC-HDR-27 QC-EXT-04 QC-EXT-09 whatever is done, header fields, extensions and padding that are unknown keep their bytes")
    void unknownHeaderParts() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", CreateOptions.ofSize(1 << 20).withClusterBits(12));
        byte[] unknown = new byte[512];
        Arrays.fill(unknown, (byte) 0xa7);
        try (HostFile file = directory.open("image", Access.READ_WRITE)) {
            file.write(112, ByteBuffer.wrap(unknown));
            // A header of 200 bytes; an extension of 13 bytes with padding that is not zero; the end.
            file.write(100, ByteBuffer.allocate(4).putInt(0, 200));
            file.write(200, ByteBuffer.allocate(8).putInt(0x12345678).putInt(13).flip());
            file.write(224, ByteBuffer.allocate(8));
        }
        byte[] before = Arrays.copyOfRange(directory.content("image").toByteArray(), 100, 4096);
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.write(5, ByteBuffer.allocate(300_000));
            disk.writeVmState(0, ByteBuffer.allocate(3_000_000));
            String id = disk.createSnapshot("s", 10).id();
            disk.discard(0, 1 << 20);
            disk.applySnapshot(id);
            disk.deleteSnapshot(id);
        }
        requireClean(directory);
        assertThat(Arrays.copyOfRange(directory.content("image").toByteArray(), 100, 4096))
                .isEqualTo(before);
    }

    @Test
    @DisplayName("QC-EXT-07 the feature name table of a new image is byte for byte QEMU's")
    void featureNames(@TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        Qemu.run(path, "qemu-img", "create", "-q", "-f", "qcow2", "theirs", "1M");
        FormatFeatures features =
                FormatFeatures.PLAIN.withDataFile("data", true).withExtendedL2();
        driver.create(directory, "ours", CreateOptions.ofSize(1 << 20).withFeatures(features));
        assertThat(names(directory, "ours")).isEqualTo(names(directory, "theirs"));
    }

    private static ByteBuffer names(HostDirectory directory, String image) throws DiskException {
        try (HostFile file = directory.open(image, Access.READ_ONLY)) {
            Header header = Image.of(file).header();
            return HeaderExtension.find(image, HeaderExtension.list(file, header), HeaderExtension.FEATURE_NAMES)
                    .orElseThrow()
                    .data(file);
        }
    }
}
