package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.reference.RandomOperationsTest.Feature;
import dev.qcow2.reference.RandomOperationsTest.Request;
import dev.qcow2.reference.RandomOperationsTest.Start;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** QEMU reads what we write and finds it clean; we read what QEMU writes. */
class QemuAgreementTest {

    private final Path path;
    private final HostDirectory directory;

    QemuAgreementTest(@TempDir Path path) {
        this.path = path;
        this.directory = new RealHostDirectory(path, Durability.NONE);
    }

    @BeforeEach
    void needsQemu() {
        Qemu.assumeInstalled();
    }

    @ParameterizedTest
    @CsvSource({
        "3,  9, 4,   70001, 0, PLAIN", "3,  9, 0,  100000, 1, PLAIN", "3,  9, 6,  200192, 2, PLAIN",
                "3, 10, 1,  153600, 3, ZSTD",
        "3, 12, 2,       0, 0, PLAIN", "3, 12, 3, 3000320, 1, PLAIN", "2,  9, 4,   65536, 2, PLAIN",
                "2, 16, 4, 5000000, 0, PLAIN",
        "3, 16, 5, 9999360, 3, PLAIN", "3, 21, 4, 8999936, 0, PLAIN", "2, 12, 4,  999424, 3, PLAIN",
                "3, 14, 4,  700416, 0, EXTENDED",
        "3, 14, 2,  999936, 2, EXTENDED", "3, 16, 4, 3000320, 3, EXTENDED_ZSTD", "3, 21, 4, 8999936, 1, EXTENDED",
    })
    @DisplayName(
            "QC-REF-03 QC-L2-03 QC-L1-03 QC-REF-08 qemu-img check finds nothing and reads the same, after every request")
    void qemuAgrees(int version, int clusterBits, int order, int size, int backing, Feature feature) throws Exception {
        Start start = new Start(version, clusterBits, order, size, backing, feature);
        byte[] initial = RandomOperationsTest.makeImage(directory, start);
        GuestBytes model = new GuestBytes(initial, 1 << clusterBits, version == 3 || backing == 0);
        Random random = new Random(size + clusterBits);
        for (int i = 0; i < 16; i++) {
            Request request =
                    new Request(random.nextInt(15), random.nextInt(size + 1), random.nextInt(size / 3 + 1), (byte)
                            random.nextInt());
            try (VirtualDisk disk = RandomOperationsTest.open(directory)) {
                RandomOperationsTest.perform(directory, disk, model, request, size);
            }
            Qemu.check(path, "top");
            byte[] seen = Qemu.read(path, "top");
            // QEMU rounds the size of a disk down to whole sectors.
            assertThat(seen).hasSize(size / 512 * 512);
            assertThat(Arrays.mismatch(seen, Arrays.copyOf(model.all(), seen.length)))
                    .as("first byte that differs after %s", request)
                    .isEqualTo(-1);
            byte fill = (byte) (i % 3 == 0 ? 0 : random.nextInt());
            int length = 512 * (1 + random.nextInt(i % 2 == 0 ? 1 : 300));
            int sector = random.nextInt(size / 512 + 1) * 512;
            if (sector + length <= size && size % 512 == 0) {
                Qemu.run(
                        path,
                        "qemu-io",
                        "-f",
                        "qcow2",
                        "-c",
                        (fill == 0 ? "write -z " : "write -P " + (fill & 0xff) + " ") + sector + " " + length,
                        "top");
                byte[] payload = new byte[length];
                Arrays.fill(payload, fill);
                model.write(sector, payload);
            }
            try (VirtualDisk disk = RandomOperationsTest.open(directory)) {
                ByteBuffer actual = ByteBuffer.allocate(size);
                disk.read(0, actual);
                assertThat(Arrays.mismatch(actual.array(), model.all())).isEqualTo(-1);
            }
        }
    }
}
