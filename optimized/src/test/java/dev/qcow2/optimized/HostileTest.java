package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.BackingClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images that somebody broke on purpose: a typed refusal, or bytes, but nothing else. */
class HostileTest {

    private final OptimizedDriver driver = new OptimizedDriver();

    private static MemoryHostDirectory image() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", CreateOptions.ofSize(300_000).withClusterBits(9));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(1000, ByteBuffer.wrap(Images.filled(60_000, 1)));
            disk.createSnapshot("one");
            disk.write(20_000, ByteBuffer.wrap(Images.filled(5_000, 2)));
            disk.writeZeroes(90_000, 5_000, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
        }
        return directory;
    }

    private static void poke(MemoryHostDirectory directory, long offset, byte... bytes) throws DiskException {
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            file.write(offset, ByteBuffer.wrap(bytes));
        }
    }

    @Property(tries = 1500, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-LIM-01 to 08: whatever bytes are spoilt, the answer is typed and in time")
    void spoilt(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = image();
        int size = 80_000;
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            int offset = random.nextInt(4) == 0 ? random.nextInt(112) : random.nextInt(size / 8) * 8;
            byte[] bytes = new byte[random.nextInt(1, 9)];
            random.nextBytes(bytes);
            poke(directory, offset, bytes);
        }
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            use(disk, random);
        } catch (DiskException e) {
            assertThat(e.advice()).isNotEmpty();
        }
    }

    private static void use(VirtualDisk disk, SplittableRandom random) throws DiskException {
        // A header that claims a huge disk is right as far as it goes; a test reads only a part of it.
        int size = (int) Math.min(disk.size(), 300_000);
        for (int i = 0; i < 6 && size > 0; i++) {
            try {
                int offset = random.nextInt(size);
                int length = Math.min(size - offset, random.nextInt(30_000));
                disk.read(offset, ByteBuffer.allocate(length));
                disk.write(offset, ByteBuffer.allocate(length));
                disk.discard(offset, length);
                disk.status(offset, length);
                disk.createSnapshot("x");
                disk.deleteSnapshot(disk.snapshots().get(0).id());
            } catch (DiskException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 00, QC_HDR_01",
        "7, 04, QC_HDR_02",
        "23, 08, QC_HDR_06",
        "23, 16, QC_LIM_01",
        "35, 01, QC_CRY_08",
        "35, 03, QC_HDR_08",
        "47, 01, QC_HDR_09",
        "36, 7f, QC_LIM_02",
        "40, 01, QC_LIM_07",
        "55, 01, QC_HDR_10",
        "59, 00, QC_HDR_11",
        "57, 7f, QC_LIM_03",
        "60, 7f, QC_LIM_05",
        "71, 01, QC_HDR_12",
        "79, 80, QC_HDR_15",
        "79, 04, QC_DATA_07",
        "79, 08, QC_HDR_19",
        "79, 10, QC_HDR_29",
        "79, 02, QC_HDR_17",
        "79, 01, QC_HDR_16",
        "99, 07, QC_HDR_24",
        "103, 60, QC_HDR_14",
        "104, 01, QC_HDR_19",
        "104, 02, QC_HDR_28",
        "24, 80, QC_LIM_06"
    })
    @DisplayName("each broken header field is refused by its own clause")
    void brokenField(int offset, String hex, String clause) throws IOException {
        MemoryHostDirectory directory = image();
        poke(directory, offset, (byte) Integer.parseInt(hex, 16));
        assertThatThrownBy(() -> driver.open(directory, "disk", Images.WRITE))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.clause().name()).isEqualTo(clause));
    }

    @Test
    @DisplayName("QC-HDR-15, QC-EXT-07: an unknown incompatible bit is named by number and by the image's own table")
    void namedBit() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "disk", CreateOptions.ofSize(1000));
        // The table's first entry becomes the name of bit 37.
        poke(directory, 112 + 8 + 1, (byte) 37);
        poke(directory, 75, (byte) 0x20);
        assertThatThrownBy(() -> driver.open(directory, "disk", OpenOptions.readOnly()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("37")
                .hasMessageContaining("dirty bit");
    }

    @Test
    @DisplayName("QC-HDR-16, QC-HDR-17, QC-GUEST-07: dirty and corrupt images can be read")
    void dirtyIsReadable() throws IOException {
        MemoryHostDirectory directory = image();
        poke(directory, 79, (byte) 3);
        try (VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readOnly())) {
            assertThat(Images.readAll(disk)[20_000]).isEqualTo((byte) 2);
        }
    }

    @Test
    @DisplayName("QC-HDR-21, QC-HDR-23, QC-HDR-25: autoclear bits go, compatible bits and unknown fields stay")
    void featureBits() throws IOException {
        MemoryHostDirectory directory = image();
        poke(directory, 80, Images.filled(8, 0x55));
        poke(directory, 88, Images.filled(8, 0x33));
        driver.open(directory, "disk", OpenOptions.readOnly()).close();
        assertThat(bytes(directory, 88)).isEqualTo(Images.filled(8, 0x33));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.createSnapshot("two");
        }
        assertThat(bytes(directory, 80)).isEqualTo(Images.filled(8, 0x55));
        assertThat(bytes(directory, 88)).isEqualTo(new byte[8]);
    }

    private static byte[] bytes(MemoryHostDirectory directory, long offset) throws DiskException {
        byte[] bytes = new byte[8];
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            file.readZeroPadded(offset, ByteBuffer.wrap(bytes));
        }
        return bytes;
    }

    @Test
    @Timeout(20)
    @DisplayName("QC-BACK-04, QC-BACK-06, QC-LIM-04: loops, strangers' files and endless chains are refused")
    void chains() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "a", CreateOptions.ofSize(1).withBacking("b", Optional.empty()));
        driver.create(directory, "b", CreateOptions.ofSize(1).withBacking("./a", Optional.empty()));
        assertRefused(directory, "a", Images.WRITE, BackingClause.QC_BACK_04);
        assertRefused(directory, "a", OpenOptions.readWrite(), BackingClause.QC_BACK_06);
        for (int i = 0; i < 201; i++) {
            driver.create(directory, "c" + i, CreateOptions.ofSize(1).withBacking("c" + (i + 1), Optional.empty()));
        }
        driver.create(directory, "c201", CreateOptions.ofSize(1));
        assertRefused(directory, "c0", Images.WRITE, LimitClause.QC_LIM_04);
        driver.open(directory, "c2", Images.WRITE).close();
        assertRefused(directory, "lost", Images.WRITE, BackingClause.QC_BACK_03);
    }

    private void assertRefused(MemoryHostDirectory directory, String name, OpenOptions options, Clause clause)
            throws IOException {
        if (name.equals("lost")) {
            driver.create(directory, name, CreateOptions.ofSize(1).withBacking("nowhere", Optional.empty()));
        }
        assertThatThrownBy(() -> driver.open(directory, name, options))
                .isInstanceOfSatisfying(
                        BackingException.class, e -> assertThat(e.clause()).isEqualTo(clause));
    }

    @Test
    @DisplayName("QC-BACK-05: without the extension the first bytes of the backing file decide")
    void probing() throws IOException {
        MemoryHostDirectory directory = image();
        byte[] magic = {'Q', 'F', 'I', (byte) 0xfb};
        driver.create(directory, "top", CreateOptions.ofSize(300_000).withBacking("disk", Optional.empty()));
        driver.create(
                directory,
                "raw",
                CreateOptions.ofSize(300_000).withBacking("disk", Optional.of(CreateOptions.BackingFormat.RAW)));
        try (VirtualDisk top = driver.open(directory, "top", Images.WRITE);
                VirtualDisk raw = driver.open(directory, "raw", Images.WRITE)) {
            assertThat(Images.readAll(top)[20_000]).isEqualTo((byte) 2);
            assertThat(new String(Images.readAll(raw), 0, 4, StandardCharsets.ISO_8859_1))
                    .isEqualTo(new String(magic, StandardCharsets.ISO_8859_1));
        }
    }
}
