package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Compressed clusters: where the streams lie, who counts them, and what a broken one does. */
class CompressedTest {

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final OptimizedDriver driver = new OptimizedDriver();

    private static byte[] halfRandom(int length, long seed) {
        byte[] bytes = new byte[length];
        SplittableRandom random = new SplittableRandom(seed);
        for (int at = 0; at < length; at += 4) {
            bytes[at] = (byte) random.nextInt();
        }
        return bytes;
    }

    private void create(int size, int clusterBits, int refcountOrder, Compression compression) throws DiskException {
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(size)
                        .withClusterBits(clusterBits)
                        .withRefcountOrder(refcountOrder)
                        .withFeatures(FormatFeatures.PLAIN.withCompression(compression)));
    }

    private long fileSize() throws DiskException {
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            return file.size();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "9, 4, ZLIB",
        "9, 4, ZSTD",
        "12, 4, ZLIB",
        "16, 4, ZLIB",
        "16, 0, ZLIB",
        "16, 1, ZSTD",
        "16, 6, ZSTD",
        "21, 4, ZLIB",
        "21, 4, ZSTD"
    })
    @DisplayName(
            "QC-CMP-01 to 08, QC-CMP-14, QC-HDR-19, QC-HDR-28: streams lie one behind the other, and each host cluster counts its own")
    void packs(int clusterBits, int refcountOrder, Compression compression) throws IOException {
        int clusters = 20;
        int size = (clusters << clusterBits) - 333;
        create(size, clusterBits, refcountOrder, compression);
        byte[] bytes = halfRandom(size, 1);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.writeCompressed(0, ByteBuffer.wrap(bytes));
            assertThat(Images.readAll(disk)).isEqualTo(bytes);
            assertThat(disk.status(0, size))
                    .containsExactly(new BlockStatus(0, size, BlockStatus.Content.DATA, true, 0));
        }
        Images.assertClean(directory, "disk");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Images.readAll(disk)).isEqualTo(bytes);
        }
        if (clusterBits > 9 && refcountOrder > 1) {
            // A quarter of the bytes is random, and gaps take a little.
            assertThat(fileSize()).isLessThan((long) size * 3 / 4);
        }
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    @DisplayName(
            "QC-CMP-09, QC-CMP-10, QC-L2-11, QC-REF-03: a write into a part of a compressed cluster copies out of it; the rest is unchanged")
    void copiesOut(Compression compression) throws IOException {
        create(10 << 16, 16, 4, compression);
        byte[] bytes = halfRandom(10 << 16, 2);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.writeCompressed(0, ByteBuffer.wrap(bytes));
            disk.write(3 * 65536 + 5, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            disk.write(5 * 65536 - 1, ByteBuffer.wrap(new byte[65538]));
            System.arraycopy(new byte[] {1, 2, 3}, 0, bytes, 3 * 65536 + 5, 3);
            System.arraycopy(new byte[65538], 0, bytes, 5 * 65536 - 1, 65538);
            assertThat(Images.readAll(disk)).isEqualTo(bytes);
            disk.flush();
            Images.assertClean(directory, "disk");
            disk.writeCompressed(65536, ByteBuffer.wrap(halfRandom(8 << 16, 3)));
            System.arraycopy(halfRandom(8 << 16, 3), 0, bytes, 65536, 8 << 16);
            disk.flush();
            assertThat(Images.readAll(disk)).isEqualTo(bytes);
        }
        Images.assertClean(directory, "disk");
    }

    @ParameterizedTest
    @CsvSource({"4", "1", "2"})
    @DisplayName(
            "QC-SNAP-01, QC-REF-11: a snapshot raises each cluster once for each stream; too narrow counts are refused")
    void snapshots(int refcountOrder) throws IOException {
        create(40 << 12, 12, refcountOrder, Compression.ZSTD);
        byte[] bytes = halfRandom(40 << 12, 4);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.writeCompressed(0, ByteBuffer.wrap(bytes));
            try {
                disk.createSnapshot("one");
                disk.createSnapshot("two");
            } catch (RequestRefusedException e) {
                assertThat(e.clause().name()).isEqualTo("QC_REF_11");
                assertThat(refcountOrder).isLessThan(4);
            }
            disk.flush();
            Images.assertClean(directory, "disk");
            byte[] other = halfRandom(40 << 12, 5);
            disk.writeCompressed(0, ByteBuffer.wrap(other));
            disk.discard(0, 9 << 12);
            for (var snapshot : disk.snapshots()) {
                disk.applySnapshot(snapshot.id());
                assertThat(Images.readAll(disk)).isEqualTo(bytes);
                disk.deleteSnapshot(snapshot.id());
                Images.assertClean(directory, "disk");
            }
        }
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName("QC-CMP-13, QC-LIM-15: a cluster that does not get smaller is stored as it is; odd ranges are refused")
    void incompressible() throws IOException {
        create(10 << 16, 16, 4, Compression.ZLIB);
        byte[] random = new byte[2 << 16];
        new SplittableRandom(6).nextBytes(random);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.writeCompressed(65536, ByteBuffer.wrap(random));
            byte[] read = new byte[2 << 16];
            disk.read(65536, ByteBuffer.wrap(read));
            assertThat(read).isEqualTo(random);
            assertThatThrownBy(() -> disk.writeCompressed(512, ByteBuffer.allocate(65536)))
                    .isInstanceOf(RequestRefusedException.class);
            assertThatThrownBy(() -> disk.writeCompressed(65536, ByteBuffer.allocate(512)))
                    .isInstanceOf(RequestRefusedException.class);
        }
        Images.assertClean(directory, "disk");
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    @DisplayName("QC-CMP-12, QC-LIM-10: a broken stream is told with the place where it lies; nothing else suffers")
    void brokenStream(Compression compression) throws IOException {
        create(10 << 16, 16, 4, compression);
        byte[] bytes = halfRandom(65536, 7);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(65536, ByteBuffer.wrap(bytes));
            disk.writeCompressed(0, ByteBuffer.wrap(bytes));
        }
        for (int seed = 0; seed < 200; seed++) {
            MemoryHostDirectory broken = directory.copy();
            // Header, table, block and L1 are clusters 0 to 3, the L2 table is 4; the data and the stream follow.
            try (HostFile file = broken.open("disk", Access.READ_WRITE)) {
                SplittableRandom random = new SplittableRandom(seed);
                byte[] noise = new byte[random.nextInt(1, 2000)];
                random.nextBytes(noise);
                long place = seed % 2 == 0 ? 6 << 16 : (6 << 16) + random.nextInt(20_000);
                file.write(place, ByteBuffer.wrap(noise));
            }
            try (VirtualDisk disk = driver.open(broken, "disk", Images.WRITE)) {
                disk.read(0, ByteBuffer.allocate(4096));
            } catch (CorruptImageException e) {
                assertThat(e.hostOffset()).isEqualTo(6 << 16);
                assertThat(e.clause().name()).isEqualTo("QC_CMP_12");
            }
        }
    }
}
