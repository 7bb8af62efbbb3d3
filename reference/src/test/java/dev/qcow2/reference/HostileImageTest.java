package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.fail;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images that lie: the answer is a typed refusal, in bounded time. */
class HostileImageTest {

    private static final int CLUSTER = 512;

    /** An image with two data clusters in the first L2 table; returns its bytes. */
    private static byte[] image(int version) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        ReferenceDriver driver = new ReferenceDriver();
        driver.create(directory, "image", new CreateOptions(65536, version, 9, 4, Optional.empty()));
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.write(0, ByteBuffer.allocate(2 * CLUSTER));
        }
        return directory.content("image").toByteArray();
    }

    private static VirtualDisk open(byte[] bytes) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        directory.put("image", MemoryFileContent.of(bytes));
        return new ReferenceDriver().open(directory, "image", OpenOptions.readWrite());
    }

    private static int l1(byte[] image) {
        return (int) ByteBuffer.wrap(image).getLong(40);
    }

    private static int l2(byte[] image) {
        return (int) ByteBuffer.wrap(image).getLong(l1(image)) & ~(CLUSTER - 1);
    }

    @ParameterizedTest(name = "{2}: L1 entry {1} in version {0}")
    @CsvSource({
        "3, 0x0000000000000e01, QC-L1-02",
        "3, 0x4000000000000e00, QC-L1-02",
        "2, 0x000000000fffe000, QC-L2-14",
        "3, 0x0000000000000200, QC-REF-16",
    })
    void brokenL1(int version, String entry, String clause) throws DiskException {
        byte[] image = image(version);
        ByteBuffer.wrap(image).putLong(l1(image), Long.decode(entry));
        requireCorrupt(image, clause);
    }

    @ParameterizedTest(name = "{2}: L2 entry {1} in version {0}")
    @CsvSource({
        "3, 0x0000000000000e02, QC-L2-05",
        "3, 0x0100000000000e00, QC-L2-05",
        "2, 0x0000000000000001, QC-L2-08",
        "3, 0x00fffffffffffe00, QC-L2-14",
        "3, 0x0000000000000200, QC-REF-16",
    })
    void brokenL2(int version, String entry, String clause) throws DiskException {
        byte[] image = image(version);
        ByteBuffer.wrap(image).putLong(l2(image), Long.decode(entry));
        requireCorrupt(image, clause);
    }

    private static void requireCorrupt(byte[] image, String clause) throws DiskException {
        try (VirtualDisk disk = open(image)) {
            CorruptImageException read =
                    catchThrowableOfType(CorruptImageException.class, () -> disk.read(0, ByteBuffer.allocate(10)));
            assertThat(read.clause().id()).isEqualTo(clause);
        }
        // Opened anew: after the first failure the image is marked (QC-HDR-17).
        try (VirtualDisk disk = open(image)) {
            CorruptImageException write =
                    catchThrowableOfType(CorruptImageException.class, () -> disk.write(0, ByteBuffer.allocate(10)));
            assertThat(write.clause().id()).isEqualTo(clause);
        }
    }

    @ParameterizedTest(name = "{2}: compressed descriptor {1} in version {0}")
    @CsvSource({
        // Behind the end of the file, above 2^56, in the header, in the refcount table, from data into it.
        "3, 0x40000000000ffe03, QC-L2-14",
        "2, 0x4100000000000e03, QC-CMP-11",
        "3, 0x4000000000000000, QC-REF-16",
        "2, 0x4000000000000210, QC-REF-16",
        "3, 0x60000000000001ff, QC-REF-16",
    })
    void brokenDescriptor(int version, String entry, String clause) throws DiskException {
        byte[] image = image(version);
        ByteBuffer.wrap(image).putLong(l2(image), Long.decode(entry));
        requireCorrupt(image, clause);
    }

    @Test
    @DisplayName("QC-L2-02 QC-CMP-12 a broken stream stops a read, and a write that owes bytes of it, not one of all")
    void brokenStream() throws DiskException {
        for (boolean zstd : new boolean[] {false, true}) {
            byte[] image = image(3);
            image[79] |= (byte) (zstd ? 8 : 0);
            image[104] = (byte) (zstd ? 1 : 0);
            // Zeros are neither a deflate stream nor a zstandard frame.
            long data = ByteBuffer.wrap(image).getLong(l2(image)) & 0xffff_ffff_fe00L;
            ByteBuffer.wrap(image).putLong(l2(image), 1L << 62 | data);
            requireCorrupt(image, "QC-CMP-12");
            try (VirtualDisk disk = open(image)) {
                disk.discard(0, CLUSTER);
                disk.read(0, ByteBuffer.allocate(CLUSTER));
            }
        }
    }

    @Test
    @DisplayName("QC-REF-03 QC-REF-05 broken counts and table entries stop a write before it changes anything")
    void brokenCounts() throws DiskException {
        byte[] image = image(3);
        byte[] free = image.clone();
        // The counts of everything become 0, the live L2 table's too.
        Arrays.fill(free, 2 * CLUSTER, 3 * CLUSTER, (byte) 0);
        byte[] flagged = image.clone();
        flagged[CLUSTER + 7] |= 1;
        for (byte[] broken : new byte[][] {free, flagged}) {
            try (VirtualDisk disk = open(broken)) {
                for (long offset : new long[] {0, 40_000}) {
                    assertThatThrownBy(() -> disk.write(offset, ByteBuffer.allocate(1)))
                            .isInstanceOf(CorruptImageException.class);
                }
            }
        }
    }

    @Test
    @Timeout(60)
    @DisplayName("QC-LIM-02 QC-LIM-03 QC-LIM-07 any bytes give a disk or a typed refusal")
    void mutations() throws DiskException {
        Random random = new Random(7);
        byte[][] seeds = {image(2), image(3)};
        for (int round = 0; round < 4000; round++) {
            byte[] image = seeds[round % 2].clone();
            int pokes = 1 + random.nextInt(3);
            for (int i = 0; i < pokes; i++) {
                int at = random.nextInt(random.nextBoolean() ? 112 : image.length);
                image[at] = (byte) (random.nextBoolean() ? random.nextInt() : 1 << random.nextInt(8));
            }
            int length = random.nextInt(8) == 0 ? random.nextInt(image.length) : image.length;
            use(Arrays.copyOf(image, length), random, round);
        }
    }

    private static void use(byte[] image, Random random, int round) {
        try (VirtualDisk disk = open(image)) {
            long size = disk.size();
            for (int i = 0; i < 6; i++) {
                long offset = size == 0 ? 0 : Math.floorMod(random.nextLong(), size);
                int length = (int) Math.min(size - offset, random.nextInt(3000));
                request(disk, i, offset, length);
            }
        } catch (DiskException e) {
            assertThat(e.advice()).isNotBlank();
        } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
            fail("round " + round, e);
        }
    }

    private static void request(VirtualDisk disk, int kind, long offset, int length) throws DiskException {
        try {
            switch (kind) {
                case 0 -> disk.read(offset, ByteBuffer.allocate(length));
                case 1 -> disk.status(offset, length);
                case 2 -> disk.write(offset, ByteBuffer.allocate(length));
                case 3 -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
                case 4 -> disk.createSnapshot("s");
                default -> disk.discard(offset, length);
            }
        } catch (DiskException e) {
            assertThat(e.advice()).isNotBlank();
        }
    }
}
