package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What happens to an encrypted image as a whole: snapshots, preallocation, other sizes, other backing files. */
@Timeout(60)
class EncryptedChangesTest {

    private static final int SIZE = 300_000;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final OptimizedDriver driver = EncryptedImages.driver();

    private void assertHolds(byte[] model, OpenOptions options) throws Exception {
        try (VirtualDisk disk = driver.open(directory, "disk", options)) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
        Images.assertClean(directory, "disk");
    }

    private static void write(VirtualDisk disk, byte[] model, int at, int length, int fill) throws Exception {
        disk.write(at, ByteBuffer.wrap(Images.filled(length, fill)));
        Arrays.fill(model, at, at + length, (byte) fill);
    }

    @ParameterizedTest
    @CsvSource({"2, METADATA", "3, METADATA", "3, FALLOC", "2, FULL", "3, FULL"})
    @DisplayName("QC-CRY-17: preallocated clusters read as zeros, though the host's zeros are no encrypted ones")
    void preallocated(int version, Preallocation preallocation) throws Exception {
        CreateOptions options = new CreateOptions(
                SIZE,
                version,
                12,
                4,
                Optional.empty(),
                EncryptedImages.features(Cipher.LUKS_AES_128_XTS_PLAIN64, EncryptedImages.SECRET)
                        .withPreallocation(preallocation));
        driver.create(directory, "disk", options);
        byte[] model = new byte[SIZE];
        assertHolds(model, EncryptedImages.UNLOCKED);
        try (VirtualDisk disk = driver.open(directory, "disk", EncryptedImages.UNLOCKED)) {
            write(disk, model, 5000, 10_000, 7);
            write(disk, model, 100_001, 3, 8);
        }
        assertHolds(model, EncryptedImages.UNLOCKED);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("QC-CRY-01, QC-CRY-11: a snapshot keeps its bytes, under the sectors in which they lie")
    void snapshots(Cipher cipher) throws Exception {
        driver.create(directory, "disk", EncryptedImages.options(SIZE, cipher));
        byte[] before = new byte[SIZE];
        try (VirtualDisk disk = driver.open(directory, "disk", EncryptedImages.UNLOCKED)) {
            write(disk, before, 1000, 100_000, 1);
            String id = disk.createSnapshot("s").id();
            byte[] after = before.clone();
            write(disk, after, 60_000, 100_000, 2);
            write(disk, after, 1007, 1, 3);
            assertThat(Images.readAll(disk)).isEqualTo(after);
            disk.applySnapshot(id);
            assertThat(Images.readAll(disk)).isEqualTo(before);
        }
        assertHolds(before, EncryptedImages.UNLOCKED);
    }

    @Test
    @DisplayName("QC-CRY-16: commit and rebase decrypt with one key and encrypt with the other")
    void commitAndRebase() throws Exception {
        Passphrase baseSecret = Passphrase.of("base");
        OpenOptions open = Images.WRITE.withSecrets(
                name -> Optional.of(name.equals("base") ? baseSecret : EncryptedImages.SECRET));
        driver.create(
                directory,
                "base",
                CreateOptions.ofSize(SIZE)
                        .withFeatures(EncryptedImages.features(Cipher.LUKS_AES_128_CBC_ESSIV_SHA256, baseSecret)));
        byte[] model = new byte[SIZE];
        try (VirtualDisk base = driver.open(directory, "base", open)) {
            write(base, model, 3000, 90_000, 1);
        }
        driver.create(
                directory,
                "disk",
                EncryptedImages.options(SIZE, Cipher.LUKS_AES_256_XTS_PLAIN64)
                        .withBacking("base", Optional.of(BackingFormat.QCOW2)));
        try (VirtualDisk disk = driver.open(directory, "disk", open)) {
            write(disk, model, 50_000, 100_000, 2);
        }
        driver.commit(directory, "disk", open);
        assertHolds(model, open);
        Images.assertClean(directory, "base");
        driver.rebase(directory, "disk", Optional.empty(), RebaseMode.SAFE, open);
        assertHolds(model, EncryptedImages.UNLOCKED);
    }

    @Test
    @DisplayName("QC-CRY-12: other sizes, wider counts and a repair leave the LUKS header where it is")
    void otherShapes() throws Exception {
        driver.create(
                directory,
                "disk",
                EncryptedImages.options(SIZE, Cipher.LUKS_AES_256_XTS_PLAIN64).withClusterBits(12));
        byte[] model = new byte[SIZE];
        try (VirtualDisk disk = driver.open(directory, "disk", EncryptedImages.UNLOCKED)) {
            write(disk, model, 0, SIZE, 5);
            disk.resize(100_100, Preallocation.OFF);
            disk.resize(SIZE, Preallocation.METADATA);
            Arrays.fill(model, 100_100, SIZE, (byte) 0);
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
        assertHolds(model, EncryptedImages.UNLOCKED);
        driver.amend(directory, "disk", AmendOptions.NOTHING.withRefcountOrder(6), EncryptedImages.UNLOCKED);
        assertHolds(model, EncryptedImages.UNLOCKED);
        driver.amend(directory, "disk", AmendOptions.NOTHING.withRefcountOrder(4), EncryptedImages.UNLOCKED);
        driver.repair(directory, "disk", RepairMode.ALL, EncryptedImages.UNLOCKED);
        assertHolds(model, EncryptedImages.UNLOCKED);
    }
}
