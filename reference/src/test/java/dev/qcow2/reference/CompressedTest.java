package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Compressed clusters: written, shared, overwritten, and both ways with QEMU. */
class CompressedTest {

    private final ReferenceDriver driver = new ReferenceDriver();

    private static CreateOptions options(long size, int clusterBits, Compression compression) {
        return CreateOptions.ofSize(size)
                .withClusterBits(clusterBits)
                .withFeatures(FormatFeatures.PLAIN.withCompression(compression));
    }

    /** Bytes that no codec shortens, followed by zeros. */
    private static byte[] noise(int length, int cluster) {
        byte[] bytes = new byte[cluster];
        byte[] random = new byte[length];
        new Random(length).nextBytes(random);
        System.arraycopy(random, 0, bytes, 0, length);
        return bytes;
    }

    private static AuditReport audit(HostDirectory directory) throws DiskException {
        try (HostFile file = directory.open("image", Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            assertThat(report.clean()).as(report.toText()).isTrue();
            return report;
        }
    }

    private static void requireBytes(VirtualDisk disk, byte[] expected) throws DiskException {
        ByteBuffer seen = ByteBuffer.allocate(expected.length);
        disk.read(0, seen);
        assertThat(Arrays.mismatch(seen.array(), expected)).isEqualTo(-1);
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    @DisplayName("QC-L2-12 QC-REF-03 several clusters share a host cluster, one has its data in two; each touch counts")
    void packing(Compression compression) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", options(10 << 16, 16, compression));
        byte[] expected = new byte[10 << 16];
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            for (int i = 0; i < 5; i++) {
                byte[] cluster = noise(25_000, 1 << 16);
                System.arraycopy(cluster, 0, expected, i << 16, cluster.length);
                disk.writeCompressed((long) i << 16, ByteBuffer.wrap(cluster));
            }
            assertThat(disk.status(0, 6 << 16))
                    .containsExactly(
                            new BlockStatus(0, 5 << 16, Content.DATA, true, 0),
                            new BlockStatus(5 << 16, 1 << 16, Content.ZERO, false, 0));
            requireBytes(disk, expected);
        }
        audit(directory);
        // Header, refcount table and block, L1 and L2 table; 125,000 bytes of data in two clusters.
        assertThat(directory.content("image").toByteArray().length).isLessThanOrEqualTo(7 << 16);
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.discard(1 << 16, 3 << 16);
            Arrays.fill(expected, 1 << 16, 4 << 16, (byte) 0);
            disk.write(7, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            System.arraycopy(new byte[] {1, 2, 3}, 0, expected, 7, 3);
            requireBytes(disk, expected);
            audit(directory);
            disk.writeZeroes(4 << 16, 1 << 16, ZeroMode.KEEP_ALLOCATION);
            disk.discard(0, 10 << 16);
        }
        audit(directory);
    }

    @Test
    @DisplayName("QC-REF-11 QC-HDR-24 where counts have one bit no host cluster is packed twice")
    void narrowCounts() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", CreateOptions.ofSize(1 << 20).withRefcountOrder(0));
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.writeCompressed(0, ByteBuffer.allocate(1 << 20));
            assertThatThrownBy(() -> disk.createSnapshot("s")).isInstanceOf(RequestRefusedException.class);
            requireBytes(disk, new byte[1 << 20]);
        }
        audit(directory);
    }

    @Test
    @DisplayName(
            "QC-L2-02 parts of clusters are refused, the disk's odd end is a whole; what does not shrink is stored")
    void wholeClustersOnly() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", options(100_000, 16, Compression.ZLIB));
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            for (int[] range : new int[][] {{0, 65_535}, {1, 65_535}, {512, 512}, {65_536, 34_463}}) {
                assertThatThrownBy(() -> disk.writeCompressed(range[0], ByteBuffer.allocate(range[1])))
                        .isInstanceOf(RequestRefusedException.class);
            }
            byte[] expected = noise(65_536, 100_000);
            Arrays.fill(expected, 65_536, 100_000, (byte) 7);
            disk.writeCompressed(0, ByteBuffer.wrap(expected));
            requireBytes(disk, expected);
        }
        try (HostFile file = directory.open("image", Access.READ_ONLY)) {
            Image image = Image.of(file);
            assertThat(image.locate(new GuestCluster(0)).kind()).isEqualTo(L2Entry.Kind.NORMAL);
            assertThat(image.locate(new GuestCluster(1)).kind()).isEqualTo(L2Entry.Kind.COMPRESSED);
        }
        audit(directory);
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    @DisplayName("QC-L2-14 the last sectors of a descriptor may lie behind the end of the file")
    void endOfFile(Compression compression) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", options(1 << 16, 16, compression));
        byte[] cluster = noise(10_000, 1 << 16);
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.writeCompressed(0, ByteBuffer.wrap(cluster));
        }
        byte[] image = directory.content("image").toByteArray();
        int end = image.length;
        while (image[end - 1] == 0) {
            end--;
        }
        try (HostFile file = directory.open("image", Access.READ_WRITE)) {
            // Neither codec's stream ends in a zero here, so this is its last byte.
            assertThat(end % 512).isNotZero();
            file.truncate(end);
        }
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            requireBytes(disk, cluster);
            disk.write(5, ByteBuffer.allocate(1));
        }
        audit(directory);
    }

    @Test
    @DisplayName("QC-SNAP-01 QC-SNAP-03 QC-L2-03 compressed clusters under snapshots: shared, loaded, given up")
    void snapshots() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", options(1 << 20, 16, Compression.ZSTD));
        byte[] first = noise(30_000, 1 << 20);
        byte[] second = noise(99_000, 1 << 20);
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.writeCompressed(0, ByteBuffer.wrap(first));
            String one = disk.createSnapshot("one").id();
            audit(directory);
            disk.writeCompressed(0, ByteBuffer.wrap(second));
            String two = disk.createSnapshot("two").id();
            audit(directory);
            disk.applySnapshot(one);
            audit(directory);
            requireBytes(disk, first);
            disk.deleteSnapshot(one);
            audit(directory);
            requireBytes(disk, first);
            disk.applySnapshot(two);
            requireBytes(disk, second);
            disk.discard(0, 1 << 20);
            disk.deleteSnapshot(two);
        }
        assertThat(audit(directory).clusters().compressed()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"512, zlib", "512, zstd", "4096, zstd", "65536, zlib", "65536, zstd", "2097152, zlib", "2097152, zstd"})
    @DisplayName("QC-L2-12 QC-HDR-28 QC-HDR-19 made by QEMU: read, continued, and read by QEMU again")
    void madeByQemu(int clusterSize, String type, @TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        byte[] bytes = new byte[Math.max(1 << 20, 3 * clusterSize)];
        for (int at = 0; at < bytes.length; at += 1 << 18) {
            System.arraycopy(RandomOperationsTest.packable(1 << 18, (byte) (at >> 16)), 0, bytes, at, 1 << 18);
        }
        Files.write(path.resolve("raw"), bytes);
        String options = "cluster_size=" + clusterSize + ",compression_type=" + type;
        Qemu.run(path, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", "-o", options, "raw", "image");
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        assertThat(audit(directory).clusters().compressed()).isPositive();
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            requireBytes(disk, bytes);
            Random random = new Random(clusterSize);
            GuestBytes model = new GuestBytes(bytes, clusterSize, true);
            for (int i = 0; i < 20; i++) {
                RandomOperationsTest.Request request = new RandomOperationsTest.Request(
                        List.of(0, 4, 7, 12).get(i % 4), random.nextInt(bytes.length), random.nextInt(100_000), (byte)
                                random.nextInt());
                RandomOperationsTest.perform(directory, disk, model, request, bytes.length);
                audit(directory);
            }
            requireBytes(disk, model.all());
            System.arraycopy(model.all(), 0, bytes, 0, bytes.length);
        }
        Qemu.check(path, "image");
        assertThat(Arrays.mismatch(Qemu.read(path, "image"), bytes)).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource({"10, ZLIB", "12, ZSTD", "16, ZLIB", "16, ZSTD", "21, ZLIB", "21, ZSTD"})
    @DisplayName("QC-L2-12 QC-HDR-28 made here: QEMU checks and reads it, writes to it, and we read that")
    void readByQemu(int clusterBits, Compression compression, @TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        int size = Math.max(1 << 20, 3 << clusterBits);
        driver.create(directory, "image", options(size, clusterBits, compression));
        byte[] bytes = new byte[size];
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            for (int at = 0; at < size; at += 1 << clusterBits) {
                // Repeats at a distance of up to 16 KiB, so that a decoder's window matters.
                int period = Math.min(1 << 14, 1 << (clusterBits - 2));
                byte[] cluster = noise(period, 1 << clusterBits);
                for (int to = period; to < cluster.length; to += period) {
                    System.arraycopy(cluster, 0, cluster, to, period);
                }
                cluster[cluster.length - 1] = (byte) (at >> clusterBits);
                System.arraycopy(cluster, 0, bytes, at, cluster.length);
                disk.writeCompressed(at, ByteBuffer.wrap(cluster));
            }
        }
        assertThat(audit(directory).clusters().compressed()).isPositive();
        Qemu.check(path, "image");
        assertThat(Arrays.mismatch(Qemu.read(path, "image"), bytes)).isEqualTo(-1);
        Qemu.run(path, "qemu-io", "-f", "qcow2", "-c", "write -P 7 1000 3000", "-c", "discard 128k 64k", "image");
        Arrays.fill(bytes, 1000, 4000, (byte) 7);
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            byte[] seen = new byte[200_000];
            disk.read(0, ByteBuffer.wrap(seen));
            assertThat(Arrays.mismatch(Arrays.copyOf(seen, 1 << 17), Arrays.copyOf(bytes, 1 << 17)))
                    .isEqualTo(-1);
            disk.writeCompressed(0, ByteBuffer.allocate(1 << clusterBits));
        }
        Qemu.check(path, "image");
    }
}
