package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Maintenance of images with compressed clusters, subclusters and encryption. */
class WholeFormatMaintenanceTest {

    private static final Passphrase PASSPHRASE = Passphrase.of("secret");
    private static final OpenOptions OPTIONS = OpenOptions.readWrite().withPassphrase(PASSPHRASE);
    private static final ReferenceDriver DRIVER = new ReferenceDriver();
    private static final int CLUSTER = 16_384;

    private static FormatFeatures features(String kind) {
        return switch (kind) {
            case "zlib" -> FormatFeatures.PLAIN;
            case "zstd" -> FormatFeatures.PLAIN.withCompression(Compression.ZSTD);
            case "subclusters" -> FormatFeatures.PLAIN.withExtendedL2();
            case "luks" ->
                FormatFeatures.PLAIN.withEncryption(new Encryption(Cipher.LUKS_AES_256_XTS_PLAIN64, PASSPHRASE, 1000));
            default -> throw new IllegalArgumentException(kind);
        };
    }

    private static byte[] read(MemoryHostDirectory directory) throws DiskException {
        try (VirtualDisk disk = DRIVER.open(directory, "image", OPTIONS)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) disk.size());
            disk.read(0, bytes);
            return bytes.array();
        }
    }

    private static void requireRight(MemoryHostDirectory directory, byte[] expected, String when) throws DiskException {
        assertThat(Arrays.mismatch(read(directory), expected)).as(when).isEqualTo(-1);
        assertThat(RepairTest.audit(directory).clean())
                .as(when + RepairTest.audit(directory).toText())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"zlib", "zstd", "subclusters", "luks"})
    @DisplayName(
            "QC-MNT-11 QC-MNT-02 QC-MNT-19 compressed, subdivided and encrypted clusters outlive repair, resize and amend")
    void survives(String kind) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        CreateOptions options =
                CreateOptions.ofSize(20L * CLUSTER).withClusterBits(14).withFeatures(features(kind));
        DRIVER.create(directory, "image", options);
        Random random = new Random(5);
        try (VirtualDisk disk = DRIVER.open(directory, "image", OPTIONS)) {
            byte[] letters = new byte[6 * CLUSTER];
            for (int i = 0; i < letters.length; i++) {
                letters[i] = (byte) ('a' + random.nextInt(4));
            }
            if (kind.equals("luks")) {
                disk.write(CLUSTER, ByteBuffer.wrap(letters));
            } else {
                disk.writeCompressed(CLUSTER, ByteBuffer.wrap(letters));
            }
            disk.write(12L * CLUSTER + 700, ByteBuffer.wrap(letters, 0, 9000));
            disk.createSnapshot("one");
            disk.write(2L * CLUSTER + 5, ByteBuffer.wrap(letters, 0, 3000));
            disk.writeZeroes(13L * CLUSTER, 2048, ZeroMode.KEEP_ALLOCATION);
        }
        byte[] expected = read(directory);
        assertThat(DRIVER.repair(directory, "image", RepairMode.ALL, OPTIONS).corruptionsFixed())
                .isZero();
        // All counts of the first block are forgotten.
        byte[] image = directory.content("image").toByteArray();
        int block = (int)
                ByteBuffer.wrap(image).getLong((int) ByteBuffer.wrap(image).getLong(48));
        Arrays.fill(image, block, block + CLUSTER, (byte) 0);
        directory.put("image", MemoryFileContent.of(image));
        assertThat(DRIVER.repair(directory, "image", RepairMode.ALL, OPTIONS).clean())
                .isTrue();
        requireRight(directory, expected, "repaired");
        DRIVER.amend(directory, "image", AmendOptions.NOTHING.withRefcountOrder(5), OPTIONS);
        requireRight(directory, expected, "amended");
        for (long size : new long[] {30L * CLUSTER + 100, 13L * CLUSTER + 900, 3L * CLUSTER + 5000, 22L * CLUSTER}) {
            try (VirtualDisk disk = DRIVER.open(directory, "image", OPTIONS)) {
                disk.resize(size, Preallocation.OFF);
            }
            expected = Arrays.copyOf(expected, (int) size);
            requireRight(directory, expected, "resized to " + size);
        }
        try (VirtualDisk disk = DRIVER.open(directory, "image", OPTIONS)) {
            disk.resize(25L * CLUSTER, Preallocation.METADATA);
        }
        requireRight(directory, Arrays.copyOf(expected, 25 * CLUSTER), "preallocated");
    }
}
