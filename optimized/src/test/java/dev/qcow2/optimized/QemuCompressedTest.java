package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compressed clusters, from QEMU to us and back again. */
class QemuCompressedTest {

    private static final int SIZE = 5_000_192;

    @TempDir
    private Path path = Path.of("");

    private Qemu qemu = new Qemu(Path.of(""));
    private HostDirectory directory = qemu.directory();

    @BeforeEach
    void assumeInstalled() {
        Qemu.assumeInstalled();
        qemu = new Qemu(path);
        directory = qemu.directory();
    }

    /** Text-like bytes, with matches far apart, and some that can't be compressed. */
    private static byte[] content(int seed) {
        byte[] bytes = new byte[SIZE];
        SplittableRandom random = new SplittableRandom(seed);
        byte[] words = new byte[40_000];
        random.nextBytes(words);
        for (int at = 0; at < SIZE; ) {
            int length = Math.min(SIZE - at, random.nextInt(1, 3000));
            int from = random.nextInt(words.length - length);
            System.arraycopy(words, from, bytes, at, length);
            at += length + random.nextInt(2000);
        }
        byte[] noise = new byte[600_000];
        random.nextBytes(noise);
        System.arraycopy(noise, 0, bytes, 2_000_000, noise.length);
        return bytes;
    }

    @ParameterizedTest
    @CsvSource({"512, ZLIB", "4096, ZSTD", "65536, ZLIB", "65536, ZSTD", "2097152, ZLIB", "2097152, ZSTD"})
    @DisplayName("QC-L2-12, QC-HDR-28: compressed by QEMU, read and continued by us, checked and continued by QEMU")
    void madeByQemu(int clusterSize, Compression compression) throws Exception {
        byte[] model = content(1);
        Files.write(path.resolve("source"), model);
        String options = "cluster_size=" + clusterSize + ",compression_type="
                + compression.name().toLowerCase(Locale.ROOT);
        qemu.run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, "source", "disk");
        OptimizedDriver driver = new OptimizedDriver();
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
            Images.change(disk, model, clusterSize, 2, Action.Kind.values());
        }
        qemu.assertSame("disk", model);
        qemu.run("qemu-io", "-c", "write -P 0x5a 70000 90000", "disk");
        Arrays.fill(model, 70_000, 160_000, (byte) 0x5a);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            Images.change(disk, model, clusterSize, 3, Action.Kind.values());
        }
        qemu.assertSame("disk", model);
    }

    @ParameterizedTest
    @CsvSource({"9, ZLIB", "12, ZSTD", "16, ZLIB", "16, ZSTD", "21, ZLIB", "21, ZSTD"})
    @DisplayName("QC-L2-12, QC-HDR-19: compressed by us, read and continued by QEMU")
    void madeByUs(int clusterBits, Compression compression) throws Exception {
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(SIZE)
                        .withClusterBits(clusterBits)
                        .withFeatures(FormatFeatures.PLAIN.withCompression(compression)));
        byte[] model = content(4);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.writeCompressed(0, ByteBuffer.wrap(model));
        }
        qemu.assertSame("disk", model);
        assertThat(qemu.run("qemu-img", "info", "disk"))
                .contains("compression type: " + compression.name().toLowerCase(Locale.ROOT));
        qemu.run("qemu-io", "-c", "write -P 0x31 " + (1 << 22) + " 5000", "disk");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            byte[] now = Images.readAll(disk);
            assertThat(now[1 << 22]).isEqualTo((byte) 0x31);
            Images.change(disk, now, 1 << clusterBits, 5, Action.Kind.values());
            disk.flush();
            qemu.assertSame("disk", now);
            disk.createSnapshot("one");
            Images.change(disk, now, 1 << clusterBits, 6, Action.Kind.values());
            disk.flush();
            qemu.assertSame("disk", now);
        }
    }
}
