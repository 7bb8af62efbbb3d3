package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the first cluster may say, and what is done about it. */
class HeaderTest {

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final ReferenceDriver driver = new ReferenceDriver();

    @BeforeEach
    void createImage() throws DiskException {
        driver.create(directory, "image", CreateOptions.ofSize(1 << 20));
    }

    private void poke(long offset, int width, long value) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(8).putLong(value);
        try (HostFile file = directory.open("image", OpenOptions.Access.READ_WRITE)) {
            file.write(offset, bytes.position(8 - width));
        }
    }

    private VirtualDisk open(OpenOptions options) throws DiskException {
        return driver.open(directory, "image", options);
    }

    @ParameterizedTest(name = "{3}: field at {0} = {2}")
    @CsvSource({
        " 0, 4, 0x514649fc,         QC-HDR-01", " 4, 4, 1,          QC-HDR-02", "4, 4, 4,                  QC-HDR-02",
        "16, 4, 1024,               QC-HDR-05", "20, 4, 8,          QC-HDR-06", "20, 4, 22,                QC-LIM-01",
        "24, 8, -1,                 QC-LIM-06", "32, 4, 3,          QC-HDR-08", "36, 4, 4194305,           QC-LIM-02",
        "24, 8, 0x4000000000000000, QC-LIM-02", "40, 8, 196609,     QC-HDR-09", "40, 8, 0x100000000,       QC-LIM-07",
        "40, 8, 0,                  QC-LIM-08", "40, 8, 65536,      QC-LIM-08", "48, 8, 65544,             QC-HDR-10",
        "48, 8, 0x7fffffffffff0000, QC-LIM-07", "56, 4, 0,          QC-HDR-11", "56, 4, 129,               QC-LIM-03",
        "60, 4, 65537,              QC-LIM-05", "96, 4, 7,          QC-HDR-24", "100, 4, 100,              QC-HDR-14",
        "100, 4, 108,               QC-HDR-14", "100, 4, 131072,    QC-HDR-14", "104, 1, 1,                QC-HDR-19",
        "116, 4, 0x7fffffff,        QC-EXT-03", "116, 4, -1,        QC-EXT-03",
    })
    void refusesField(long offset, int width, String value, String clause) throws DiskException {
        if (clause.equals("QC-HDR-05")) {
            poke(8, 8, 520);
        }
        poke(offset, width, Long.decode(value));
        MalformedImageException refusal =
                catchThrowableOfType(MalformedImageException.class, () -> open(OpenOptions.readOnly()));
        assertThat(refusal.clause().id()).isEqualTo(clause);
        assertThat(refusal.hostOffset()).isEqualTo(offset);
        assertThat(refusal).hasMessageContaining("found").hasMessageContaining("allowed");
    }

    @Test
    @DisplayName("QC-HDR-12 QC-LIM-08 a snapshot table stands apart from the others")
    void refusesSnapshotTable() throws DiskException {
        poke(60, 4, 1);
        poke(64, 8, 131073);
        assertThatThrownBy(() -> open(OpenOptions.readOnly())).hasMessageContaining("QC-HDR-12");
        poke(64, 8, 65536);
        assertThatThrownBy(() -> open(OpenOptions.readOnly())).hasMessageContaining("QC-LIM-08");
    }

    @Test
    @DisplayName("QC-HDR-01 QC-HDR-13 QC-HDR-14 a file that ends in its header is refused")
    void refusesTruncated() throws DiskException {
        byte[] whole = directory.content("image").toByteArray();
        for (int length : new int[] {0, 3, 4, 71, 72, 103}) {
            directory.put("image", MemoryFileContent.of(Arrays.copyOf(whole, length)));
            assertThatThrownBy(() -> open(OpenOptions.readOnly())).isInstanceOf(MalformedImageException.class);
        }
    }

    @Test
    @DisplayName("QC-HDR-15 QC-EXT-07 an unknown incompatible bit is refused by number and by name")
    void refusesUnknownBit() throws DiskException {
        poke(72, 8, 1L << 40);
        assertThatThrownBy(() -> open(OpenOptions.readOnly()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("bit 40");
        // The first entry of the feature name table becomes a name for it.
        poke(121, 1, 40);
        ByteBuffer name = StandardCharsets.UTF_8.encode("time travel\0");
        try (HostFile file = directory.open("image", OpenOptions.Access.READ_WRITE)) {
            file.write(122, name);
        }
        assertThatThrownBy(() -> open(OpenOptions.readOnly())).hasMessageContaining("bit 40 \"time travel\"");
    }

    @ParameterizedTest
    @CsvSource({"0, QC_HDR_16", "1, QC_HDR_17"})
    @DisplayName("QC-HDR-16 QC-HDR-17 dirty and corrupt images are opened read-only")
    void dirtyAndCorrupt(int bit, HeaderClause clause) throws DiskException {
        poke(72, 8, 1L << bit);
        open(OpenOptions.readOnly()).close();
        UnsupportedFeatureException refusal =
                catchThrowableOfType(UnsupportedFeatureException.class, () -> open(OpenOptions.readWrite()));
        assertThat(refusal.clause()).isEqualTo(clause);
    }

    @ParameterizedTest
    @CsvSource({"3, 2, compression type 2"})
    @DisplayName("QC-HDR-28 what is not supported is refused by name")
    void unsupported(int bit, int compressionType, String name) throws DiskException {
        poke(72, 8, 1L << bit);
        poke(104, 1, compressionType);
        assertThatThrownBy(() -> open(OpenOptions.readOnly()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining(name);
    }

    @Test
    @DisplayName("QC-HDR-23 autoclear bits go when the image is opened for writing, and only then")
    void autoclear() throws DiskException {
        poke(88, 8, -1);
        open(OpenOptions.readOnly()).close();
        assertThat(ByteBuffer.wrap(directory.content("image").toByteArray()).getLong(88))
                .isEqualTo(-1);
        open(OpenOptions.readWrite()).close();
        assertThat(ByteBuffer.wrap(directory.content("image").toByteArray()).getLong(88))
                .isZero();
    }

    @Test
    @DisplayName("QC-HDR-21 QC-HDR-25 QC-EXT-04 what is unknown keeps its bytes through growth and snapshots")
    void unknownIsKept() throws DiskException {
        driver.create(directory, "image", new CreateOptions(4 << 20, 3, 9, 6, Optional.empty()));
        poke(80, 8, 0x4000_0000_0000_0000L);
        // A longer header, and behind it an extension that nobody knows.
        poke(100, 4, 128);
        poke(112, 8, 0x0102030405060708L);
        poke(128, 4, 0x12345678);
        poke(132, 4, 5);
        poke(136, 8, 0x1111111111ffffffL);
        byte[] before = Arrays.copyOf(directory.content("image").toByteArray(), 512);
        try (VirtualDisk disk = open(OpenOptions.readWrite())) {
            disk.write(0, ByteBuffer.allocate(3 << 20));
            disk.createSnapshot("one");
        }
        byte[] after = Arrays.copyOf(directory.content("image").toByteArray(), 512);
        assertThat(ByteBuffer.wrap(after).getLong(48))
                .as("the refcount table has moved")
                .isNotEqualTo(512);
        assertThat(Arrays.copyOf(after, 36)).isEqualTo(Arrays.copyOf(before, 36));
        assertThat(Arrays.copyOfRange(after, 72, 512)).isEqualTo(Arrays.copyOfRange(before, 72, 512));
    }
}
